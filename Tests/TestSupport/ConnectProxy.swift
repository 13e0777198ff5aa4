import Foundation

/// A proxy on the loopback that takes `CONNECT` alone, as proxies for https do, and says where each connection went.
package final class ConnectProxy: Sendable {
  package let port: UInt16
  private let program: ServingProgram

  package init(in folder: PipelineFolder) throws {
    port = try FreePort.take()
    let script = try folder.write("proxy.py", Self.script)
    program = try ServingProgram(
      ["/usr/bin/python3", script, "\(port)"], in: folder, log: "proxy.log", until: "proxying")
  }

  package var url: String { "http://127.0.0.1:\(port)" }
  /// A line `CONNECT host:port` for each connection.
  package var log: String { program.log }

  private static let script = """
    import asyncio, sys

    async def copy(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except (OSError, RuntimeError):
            pass

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode("latin-1")
        method, target, _ = head.split("\\r\\n")[0].split(" ")
        if method != "CONNECT":
            writer.write(b"HTTP/1.1 405 no\\r\\nContent-Length: 0\\r\\n\\r\\n")
            writer.close()
            return
        print("CONNECT", target, file=sys.stderr, flush=True)
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 there\\r\\n\\r\\n")
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        far_writer.close()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
        print("proxying", file=sys.stderr, flush=True)
        await server.serve_forever()

    asyncio.run(main())
    """
}
