"""GStreamer's RTSP server, for the tests: run by the system's Python, which has the bindings of Debian's packages.

Arguments: codec (``h264`` or ``h265``), width, height, frames a second, frames between key frames, port (0: a free
one), file of a certificate and file of its key (both optional). Prints the port, and serves /live until it is killed.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtspServer  # noqa: E402


def main():
    codec, width, height, rate, interval, port, *certificate = sys.argv[1:]
    Gst.init(None)
    encoders = {
        "h264": f"x264enc tune=zerolatency speed-preset=ultrafast key-int-max={interval} ! rtph264pay",
        "h265": f"x265enc tune=zerolatency speed-preset=ultrafast key-int-max={interval} ! rtph265pay",
    }
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={width},height={height},"
        f"framerate={rate}/1 ! {encoders[codec]} name=pay0 pt=96 config-interval=-1 )"
    )
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer()
    server.set_service(port)
    if certificate:
        auth = GstRtspServer.RTSPAuth()
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*certificate))
        server.set_auth(auth)
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {port} cannot be taken")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
