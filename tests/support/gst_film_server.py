"""GStreamer's RTSP server with a film, for the tests: run by the system's Python, which has Debian's bindings.

Arguments as JSON: ``film`` (a file), ``epoch`` (monotonic seconds), ``port`` (0: a free one). Prints the port, and
serves /live until it is killed.
"""

import ctypes
import json
import math
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

_PR_SET_PDEATHSIG = 1
CODECS = {"h264": ("video/x-h264", "h264parse ! rtph264pay"), "hevc": ("video/x-h265", "h265parse ! rtph265pay")}


def feed(source, film, epoch):
    """Push the film's pictures at their times, from a key picture on, until the stream is over."""
    pictures, fps, last = film["pictures"], film["fps"], -1
    while True:
        now = time.monotonic()
        number = math.floor((now - epoch) * fps) + 1
        if last >= 0 and now < epoch + (last + 1) / fps + 0.5:
            number = last + 1
        time.sleep(max(epoch + number / fps - now, 0.0))
        if number != last + 1 and number % film["key_interval"]:
            continue
        last = number
        units = b"".join(b"\0\0\0\1" + unit for unit in pictures[number % len(pictures)])
        if source.emit("push-buffer", Gst.Buffer.new_wrapped(units)) != Gst.FlowReturn.OK:
            return


def main():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    arguments = json.loads(sys.argv[1])
    film = pickle.loads(Path(arguments["film"]).read_bytes())
    Gst.init(None)
    kind, payloader = CODECS[film["codec"]]
    width, height = film["size"]
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=source is-live=true format=time do-timestamp=true caps={kind},stream-format=byte-stream,"
        f"alignment=au,width={width},height={height},framerate={film['fps']}/1 ! {payloader} name=pay0 pt=96"
        " config-interval=-1 )"
    )
    factory.set_shared(True)

    def configured(_, media):
        source = media.get_element().get_by_name_recurse_up("source")
        threading.Thread(target=feed, args=(source, film, arguments["epoch"]), daemon=True).start()

    factory.connect("media-configure", configured)
    server = GstRtspServer.RTSPServer()
    server.set_service(str(arguments["port"]))
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {arguments['port']} cannot be taken")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
