import Foundation

/// Serves the repositories of a directory by `git http-backend`, on a port of the loopback: with a token that a client has
/// to show, and a certificate that nobody has signed, where asked for. It is an LFS server as well.
package final class HTTPGitServer: Sendable {
  package struct Options {
    package var token: String?
    package var user = "git"
    package var isTLS = false
    /// An HTTP status for everything instead of an answer.
    package var status: Int?
    /// While this file is there, packs come to their middle, and no further.
    package var stallFile: String?

    package init() {}
  }

  package let port: UInt16
  /// Of the server itself: who trusts it, trusts the server.
  package let certificate: String
  /// A directory with the contents of large files, by their names.
  let largeFiles: String
  private let isTLS: Bool
  private let program: ServingProgram

  package static let python = "/usr/bin/python3"

  package init(root: String, in folder: PipelineFolder, _ options: Options = Options()) throws {
    let name = "http-\(UUID().uuidString)"
    certificate = folder.path(name + ".pem")
    largeFiles = folder.path(name + "-lfs")
    isTLS = options.isTLS
    port = try FreePort.take()
    if options.isTLS {
      try Program.run(
        [
          "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
          "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
          folder.path(name + ".key"), "-out", certificate,
        ], home: folder.path)
    }
    let script = try folder.write(name + ".py", Self.largeFileScript + Self.script)
    program = try ServingProgram(
      [
        Self.python, script, "\(port)", root, options.token ?? "", options.user,
        options.isTLS ? certificate : "", folder.path(name + ".key"),
        options.status.map { "\($0)" } ?? "", largeFiles, options.stallFile ?? "",
      ], in: folder, log: name + ".log", until: "serving")
  }

  package func url(_ name: String) -> String {
    "\(isTLS ? "https" : "http")://127.0.0.1:\(port)/\(name)"
  }

  /// A line for each request, without its headers.
  package var log: String { program.log }

  package func end() { program.end() }

  private static let script = #"""
    import base64, http.server, os, ssl, subprocess, sys, time
    port, root, token, user, certificate, key, status, large_files, stall = sys.argv[1:10]
    base = ("https" if certificate else "http") + "://127.0.0.1:" + port

    class Handler(LargeFiles, http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, code, headers, body):
            self.send_response(code)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            half = len(body) // 2 if len(body) > 100000 else 0
            self.wfile.write(body[:half])
            self.wfile.flush()
            while half and stall and os.path.exists(stall):
                time.sleep(0.02)
            self.wfile.write(body[half:])

        def body(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                data = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0], 16)
                    data += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return data
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def handle_any(self):
            data = self.body()
            if status:
                return self.answer(int(status), [], b"")
            wanted = "Basic " + base64.b64encode((user + ":" + token).encode()).decode()
            if token and self.headers.get("Authorization") != wanted:
                return self.answer(401, [("WWW-Authenticate", "Basic realm=git")], b"no")
            if self.large_file(data):
                return
            path, _, query = self.path.partition("?")
            environment = dict(os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
                QUERY_STRING=query, REQUEST_METHOD=self.command, CONTENT_LENGTH=str(len(data)),
                CONTENT_TYPE=self.headers.get("Content-Type", ""), REMOTE_ADDR="127.0.0.1")
            for name in ("Git-Protocol", "Content-Encoding"):
                if self.headers.get(name):
                    environment["HTTP_" + name.upper().replace("-", "_")] = self.headers[name]
            if self.headers.get("Git-Protocol"):
                environment["GIT_PROTOCOL"] = self.headers["Git-Protocol"]
            result = subprocess.run(["git", "http-backend"], input=data, env=environment, capture_output=True)
            head, _, body = result.stdout.partition(b"\r\n\r\n")
            code, headers = 200, []
            for line in head.decode().split("\r\n"):
                name, _, value = line.partition(": ")
                if name == "Status":
                    code = int(value.split(" ")[0])
                elif name:
                    headers.append((name, value))
            self.answer(code, headers, body)

        do_GET = do_POST = do_PUT = handle_any

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print("serving", file=sys.stderr, flush=True)
    server.serve_forever()
    """#
}
