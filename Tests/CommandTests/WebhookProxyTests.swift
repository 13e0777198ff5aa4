import Foundation
import TestSupport
import Testing

/// `distro hooks` behind the web servers of docs/how-to/webhooks-proxy.md, with the lines that stand there.
struct WebhookProxyTests {
  enum Proxy: String, CaseIterable, CustomTestStringConvertible {
    case nginx = "/usr/sbin/nginx"
    case caddy = "/usr/bin/caddy"

    static let installed = allCases.filter {
      FileManager.default.isExecutableFile(atPath: $0.rawValue)
    }

    var testDescription: String { rawValue }

    /// Caddy 2.6 says 502 where its own limit comes before our answer.
    var refusalsOfLargeBodies: [String] { self == .caddy ? ["413", "502"] : ["413"] }
  }

  /// What `distro hooks` listens at.
  enum Place: CaseIterable { case port, socket }

  private let folder: PipelineFolder
  private let program: PipelineProgram
  private let port: UInt16
  private let proxyPort: UInt16
  private var socket: String { folder.path("hooks.sock") }

  init() throws {
    folder = try PipelineFolder()
    program = PipelineProgram(Installation.executable, in: folder)
    (port, proxyPort) = (try FreePort.take(), try FreePort.take())
    try SignedHook(folder: folder).writeSecret()
  }

  private func startHooks(at place: Place) throws -> RunningProgram {
    let listen = place == .port ? "127.0.0.1:\(port)" : "{path: \(socket), mode: 0660}"
    try folder.write(
      "hooks.yaml",
      """
      listen: \(listen)
      trusted-proxies: [127.0.0.1]
      state: var
      signer: signer.sock
      hooks:
        - {path: /hooks/shop, host: generic, remote: \(Installation.remote), secret-files: [secret]}
      """)
    let daemon = try RunningProgram(program, ["hooks", "--config", "hooks.yaml"])
    try daemon.line(with: "event=ready")
    return daemon
  }

  /// The block that follows the name of a proxy on the page, leading to us.
  private func example(_ name: String, at place: Place) throws -> String {
    let page = try DocumentTests.text("docs/how-to/webhooks-proxy.md")
    let parts = page.components(separatedBy: "\n\(name):\n\n```\n")
    let block = try #require(parts.count == 2 ? parts[1].components(separatedBy: "```").first : nil)
    try #require(block.contains("127.0.0.1:8480"))
    switch (place, name) {
    case (.port, _): return block.replacing("127.0.0.1:8480", with: "127.0.0.1:\(port)")
    case (.socket, "nginx"):
      return block.replacing("http://127.0.0.1:8480;", with: "http://unix:\(socket);")
    case (.socket, _): return block.replacing("127.0.0.1:8480", with: "unix/\(socket)")
    }
  }

  private func start(_ proxy: Proxy, at place: Place) throws -> ServingProgram {
    switch proxy {
    case .nginx:
      let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map { "\($0)_temp_path \(folder.path("nginx-\($0)"));" }.joined(separator: "\n")
      let file = try folder.write(
        "nginx.conf",
        """
        user root;
        daemon off;
        master_process off;
        pid \(folder.path("nginx.pid"));
        error_log stderr notice;
        events {}
        http {
          access_log off;
          \(paths)
          server {
            listen 127.0.0.1:\(proxyPort);
            \(try example("nginx", at: place))
          }
        }
        """)
      return try ServingProgram(
        [proxy.rawValue, "-e", "stderr", "-c", file], in: folder, log: "proxy.log",
        until: "getrlimit(RLIMIT_NOFILE)")
    case .caddy:
      let site = try example("Caddy", at: place)
        .replacing("hooks.example.org", with: "http://127.0.0.1:\(proxyPort)")
      let file = try folder.write("Caddyfile", "{\n  admin off\n}\n" + site)
      return try ServingProgram(
        [proxy.rawValue, "run", "--config", file, "--adapter", "caddyfile"], in: folder,
        log: "proxy.log", until: "serving initial configuration")
    }
  }

  @Test(
    .enabled(if: !Proxy.installed.isEmpty, "neither nginx nor Caddy is installed"),
    arguments: Proxy.installed, Place.allCases)
  func `a webhook arrives with its signature, and a stranger with the own address`(
    proxy: Proxy, place: Place
  ) throws {
    let daemon = try startHooks(at: place)
    let server = try start(proxy, at: place)
    let hook = SignedHook(folder: folder)
    let answer = try hook.post(to: proxyPort)
    #expect(answer == "202", "\(server.log)\(daemon.log)")
    #expect(try hook.post(to: proxyPort, ["--interface", "127.0.0.2"]) == "401")
    let line = try daemon.line(with: "event=hook-refused")
    #expect(line.contains("address=127.0.0.2"), "\(line)")
    #expect(try hook.post(to: proxyPort, body: SignedHook.payload + " ") == "401")
    let large = String(repeating: " ", count: 26 << 20)
    #expect(proxy.refusalsOfLargeBodies.contains(try hook.post(to: proxyPort, [], body: large)))
    server.end()
    daemon.expectEnd()
  }
}
