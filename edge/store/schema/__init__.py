"""Models, migrations, views, and how a database is opened."""
