-- A database as version 2 of the tables left it: sqlite3's dump, with the two numbers of the file's header.
PRAGMA application_id = 1397771077;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE "adjustments" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "floor_id" INTEGER NOT NULL, "delta" INTEGER NOT NULL, "reason" TEXT NOT NULL, "event_id" TEXT, "note" TEXT NOT NULL, "before" INTEGER NOT NULL, "after" INTEGER NOT NULL, "at" INTEGER NOT NULL, "actor" TEXT NOT NULL DEFAULT '', FOREIGN KEY ("floor_id") REFERENCES "floors" ("id") ON DELETE CASCADE, CHECK ("after" = "before" + delta), CHECK (reason <> ''));
INSERT INTO "adjustments" VALUES(1,2,-1,'overflow','9e8430de-16c4-58b9-92a2-2aeb3334bf47','',4,3,1777900980000000,'');
INSERT INTO "adjustments" VALUES(2,2,-1,'correction',NULL,'walked it',3,2,1777968000000000,'anna');
CREATE TABLE "audit_log" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "at" INTEGER NOT NULL, "actor" TEXT NOT NULL, "action" TEXT NOT NULL, "subject" TEXT NOT NULL, "before" TEXT, "after" TEXT, "note" TEXT NOT NULL, CHECK (actor <> ''), CHECK (action <> ''));
INSERT INTO "audit_log" VALUES(1,1777881600000000,'anna','create','floor Ground Floor',NULL,'{"name": "Ground Floor", "description": "", "total_slots": 50, "current_vehicles": 10, "is_active": true, "is_deleted": false, "is_configured": false}','');
INSERT INTO "audit_log" VALUES(2,1777881600000000,'anna','create','floor Roof',NULL,'{"name": "Roof", "description": "", "total_slots": 3, "current_vehicles": 0, "is_active": true, "is_deleted": false, "is_configured": false}','');
INSERT INTO "audit_log" VALUES(3,1777968000000000,'anna','correction','floor Roof','{"current_vehicles": 3}','{"current_vehicles": 2}','walked it');
INSERT INTO "audit_log" VALUES(4,1777978800000000,'anna','cleanup begins','events older than 1 days',NULL,'{"before": "2026-05-04T11:00:00+00:00"}','');
INSERT INTO "audit_log" VALUES(5,1777978800000000,'anna','cleanup','events older than 1 days',NULL,'{"before": "2026-05-04T11:00:00+00:00", "removed": 11}','');
CREATE TABLE "event_hourly" ("hour" INTEGER NOT NULL, "floor_id" INTEGER NOT NULL, "entries" INTEGER NOT NULL, "exits" INTEGER NOT NULL, "car" INTEGER NOT NULL, "motorcycle" INTEGER NOT NULL, "bus" INTEGER NOT NULL, "truck" INTEGER NOT NULL, "bicycle" INTEGER NOT NULL, "other" INTEGER NOT NULL, "confidence_sum" REAL NOT NULL, "removed_entries" INTEGER NOT NULL DEFAULT 0, "removed_exits" INTEGER NOT NULL DEFAULT 0, PRIMARY KEY ("hour", "floor_id"), FOREIGN KEY ("floor_id") REFERENCES "floors" ("id") ON DELETE CASCADE, CHECK (hour % 3600000000 = 0), CHECK (entries >= 0 AND exits >= 0), CHECK (entries + exits = car + motorcycle + bus + truck + bicycle + other), CHECK (removed_entries >= 0 AND removed_entries <= entries), CHECK (removed_exits >= 0 AND removed_exits <= exits)) WITHOUT ROWID;
INSERT INTO "event_hourly" VALUES(1777881600000000,1,1,1,1,0,1,0,0,0,1.02,1,1);
INSERT INTO "event_hourly" VALUES(1777881600000000,2,1,1,0,1,0,1,0,0,1.04,1,1);
INSERT INTO "event_hourly" VALUES(1777885200000000,1,1,1,1,0,0,0,1,0,1.1,1,1);
INSERT INTO "event_hourly" VALUES(1777885200000000,2,2,0,0,1,0,0,0,1,1.12,2,0);
INSERT INTO "event_hourly" VALUES(1777888800000000,1,2,0,0,0,1,0,1,0,1.18,2,0);
INSERT INTO "event_hourly" VALUES(1777888800000000,2,0,1,0,0,0,1,0,0,0.59,0,1);
INSERT INTO "event_hourly" VALUES(1777892400000000,1,1,1,1,0,1,0,0,0,1.26,0,0);
INSERT INTO "event_hourly" VALUES(1777892400000000,2,2,0,0,1,0,0,0,1,1.24,0,0);
INSERT INTO "event_hourly" VALUES(1777896000000000,1,1,0,0,0,0,0,1,0,0.66,0,0);
INSERT INTO "event_hourly" VALUES(1777896000000000,2,1,1,0,0,0,1,0,1,1.32,0,0);
INSERT INTO "event_hourly" VALUES(1777899600000000,1,1,1,1,0,1,0,0,0,1.38,0,0);
INSERT INTO "event_hourly" VALUES(1777899600000000,2,1,1,0,1,0,1,0,0,1.4,0,0);
INSERT INTO "event_hourly" VALUES(1777903200000000,1,1,0,0,0,0,0,1,0,0.72,0,0);
INSERT INTO "event_hourly" VALUES(1777903200000000,2,1,0,0,0,0,0,0,1,0.73,0,0);
CREATE TABLE "events" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "event_id" TEXT NOT NULL, "camera_id" TEXT NOT NULL, "gate_id" TEXT NOT NULL, "floor_id" INTEGER NOT NULL, "track_id" TEXT NOT NULL, "vehicle_type" TEXT NOT NULL, "direction" TEXT NOT NULL, "confidence" REAL NOT NULL, "timestamp" INTEGER NOT NULL, "created_at" INTEGER NOT NULL, "clock_state" TEXT NOT NULL DEFAULT 'unknown' CHECK (clock_state IN ('synchronised', 'unsynchronised', 'unknown')), FOREIGN KEY ("floor_id") REFERENCES "floors" ("id") ON DELETE CASCADE, CHECK (vehicle_type IN ('car', 'motorcycle', 'bus', 'truck', 'bicycle', 'other')), CHECK (direction IN ('entry', 'exit')), CHECK (confidence >= 0 AND confidence <= 1));
INSERT INTO "events" VALUES(12,'e93e39b6-4811-5431-9c05-ecefb92229ac','ramp','gate',2,'RUN-11','other','entry',0.61,1777892820000000,1777892821000000,'unknown');
INSERT INTO "events" VALUES(13,'97f0bd2c-4430-5cf4-b0ca-ec9004342075','ramp','gate',1,'RUN-12','car','exit',0.62,1777893840000000,1777893841000000,'synchronised');
INSERT INTO "events" VALUES(14,'4d345382-f41d-5560-a605-a68257c9bfd5','ramp','gate',2,'RUN-13','motorcycle','entry',0.63,1777894860000000,1777894861000000,'unsynchronised');
INSERT INTO "events" VALUES(15,'ad4dd1e8-890c-56e9-bea3-d4d8d3cc1a70','ramp','gate',1,'RUN-14','bus','entry',0.64,1777895880000000,1777895881000000,'unknown');
INSERT INTO "events" VALUES(16,'a6179b84-dbb9-51d3-8774-0bf540b38f65','ramp','gate',2,'RUN-15','truck','exit',0.65,1777896900000000,1777896901000000,'synchronised');
INSERT INTO "events" VALUES(17,'443030bf-9d7e-5c42-b09c-9ae152076775','ramp','gate',1,'RUN-16','bicycle','entry',0.66,1777897920000000,1777897921000000,'unsynchronised');
INSERT INTO "events" VALUES(18,'e82551df-192a-533c-9fb5-a2dd50b73e48','ramp','gate',2,'RUN-17','other','entry',0.67,1777898940000000,1777898941000000,'unknown');
INSERT INTO "events" VALUES(19,'b9ba5ca0-945a-5ccd-9a0f-cbd143de00ea','ramp','gate',1,'RUN-18','car','exit',6.79999999999999937827e-01,1777899960000000,1777899961000000,'synchronised');
INSERT INTO "events" VALUES(20,'9e8430de-16c4-58b9-92a2-2aeb3334bf47','ramp','gate',2,'RUN-19','motorcycle','entry',0.69,1777900980000000,1777900981000000,'unsynchronised');
INSERT INTO "events" VALUES(21,'30c8b8f8-b8e0-5d92-9974-ba039952ab5a','ramp','gate',1,'RUN-20','bus','entry',0.7,1777902000000000,1777902001000000,'unknown');
INSERT INTO "events" VALUES(22,'64efc26f-f9a1-5493-b6c0-99854f8c16cf','ramp','gate',2,'RUN-21','truck','exit',0.71,1777903020000000,1777903021000000,'synchronised');
INSERT INTO "events" VALUES(23,'15b86690-f0fa-5579-81dd-96cc1b2902f7','ramp','gate',1,'RUN-22','bicycle','entry',0.72,1777904040000000,1777904041000000,'unsynchronised');
INSERT INTO "events" VALUES(24,'ea6bfa76-518e-58c0-847d-f469ca1d3916','ramp','gate',2,'RUN-23','other','entry',0.73,1777905060000000,1777905061000000,'unknown');
CREATE TABLE "floors" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "name" TEXT NOT NULL, "description" TEXT NOT NULL, "total_slots" INTEGER NOT NULL, "current_vehicles" INTEGER NOT NULL, "opening_vehicles" INTEGER NOT NULL, "is_active" INTEGER NOT NULL, "seq" INTEGER NOT NULL, "created_at" INTEGER NOT NULL, "updated_at" INTEGER NOT NULL, "deleted_at" INTEGER, "is_configured" INTEGER NOT NULL DEFAULT TRUE, CHECK (total_slots >= 0), CHECK (current_vehicles >= 0 AND current_vehicles <= total_slots), CHECK (opening_vehicles >= 0));
INSERT INTO "floors" VALUES(1,'Ground Floor','',50,14,10,1,13,1777881600000000,1777904041000000,NULL,0);
INSERT INTO "floors" VALUES(2,'Roof','',3,2,0,1,14,1777881600000000,1777968000000000,NULL,0);
CREATE TABLE "outbox" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "event_id" INTEGER NOT NULL, "created_at" INTEGER NOT NULL, FOREIGN KEY ("event_id") REFERENCES "events" ("id") ON DELETE CASCADE);
INSERT INTO "outbox" VALUES(19,19,1777899961000000);
INSERT INTO "outbox" VALUES(20,20,1777900981000000);
INSERT INTO "outbox" VALUES(21,21,1777902001000000);
INSERT INTO "outbox" VALUES(22,22,1777903021000000);
INSERT INTO "outbox" VALUES(23,23,1777904041000000);
INSERT INTO "outbox" VALUES(24,24,1777905061000000);
CREATE TABLE "schema_migrations" ("version" INTEGER NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "applied_at" INTEGER NOT NULL, "program_version" TEXT NOT NULL);
INSERT INTO "schema_migrations" VALUES(2,'created',1795874023243968,'0.1.0');
CREATE UNIQUE INDEX "floor_name" ON "floors" ("name");
CREATE INDEX "floor_is_active" ON "floors" ("is_active");
CREATE INDEX "floor_updated_at" ON "floors" ("updated_at");
CREATE UNIQUE INDEX "event_camera_id_track_id_direction_timestamp" ON "events" ("camera_id", "track_id", "direction", "timestamp");
CREATE INDEX "event_floor_id_timestamp" ON "events" ("floor_id", "timestamp");
CREATE INDEX "event_camera_id_timestamp" ON "events" ("camera_id", "timestamp");
CREATE INDEX "event_timestamp" ON "events" ("timestamp");
CREATE INDEX "adjustment_floor_id_at" ON "adjustments" ("floor_id", "at");
CREATE INDEX "eventhourly_floor_id" ON "event_hourly" ("floor_id");
CREATE UNIQUE INDEX "outbox_event_id" ON "outbox" ("event_id");
CREATE VIEW v_floors AS 
        SELECT id, name, total_slots - current_vehicles AS free, total_slots, current_vehicles,
               CASE WHEN total_slots > 0 THEN round(100.0 * current_vehicles / total_slots, 1) ELSE 100.0 END
                   AS occupancy_percentage,
               is_active, deleted_at IS NOT NULL AS is_deleted,
               datetime(updated_at / 1000000, 'unixepoch', 'localtime') AS updated_local, description
        FROM floors;
CREATE VIEW v_events_local AS 
        SELECT e.id, datetime(e.timestamp / 1000000, 'unixepoch', 'localtime') AS time_local, f.name AS floor, e.direction, e.vehicle_type, e.confidence,
               e.camera_id, e.gate_id, e.track_id, e.clock_state, e.event_id, e.timestamp, e.floor_id
        FROM events e JOIN floors f ON f.id = e.floor_id;
CREATE VIEW v_hourly AS 
        SELECT datetime(h.hour / 1000000, 'unixepoch', 'localtime') AS hour_local, f.name AS floor, h.entries, h.exits, h.entries - h.exits AS net,
               h.car, h.motorcycle, h.bus, h.truck, h.bicycle, h.other,
               round(h.confidence_sum / (h.entries + h.exits), 4) AS mean_confidence,
               h.removed_entries + h.removed_exits AS cleaned_up, h.hour, h.floor_id
        FROM event_hourly h JOIN floors f ON f.id = h.floor_id;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('floors',2);
INSERT INTO "sqlite_sequence" VALUES('audit_log',5);
INSERT INTO "sqlite_sequence" VALUES('events',24);
INSERT INTO "sqlite_sequence" VALUES('outbox',24);
INSERT INTO "sqlite_sequence" VALUES('adjustments',2);
COMMIT;
