import Foundation
import TestSupport
import Testing
import WebClient

/// Against `openssl s_server`, with certificates that it makes.
@Suite struct CertificateTests {
  private let folder: TemporaryFolder
  private let port: UInt16
  private let server: Process

  init() throws {
    folder = try TemporaryFolder()
    let (key, certificate) = (folder.path + "/key.pem", folder.path + "/certificate.pem")
    try TestCertificate.make(certificate, key: key, in: folder)
    port = try FreePort.take()
    server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    server.arguments = [
      "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www",
      "-quiet",
    ]
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    try server.run()
    let isListening = becomesTrue { [port] in
      guard let connection = FreePort.connect(to: port) else { return false }
      close(connection)
      return true
    }
    try #require(isListening)
  }

  private func ask(_ host: String, _ settings: WebSettings) async throws -> WebResponse {
    let request = WebRequest(.get, try WebAddress("https://\(host):\(port)/"))
    return try await onThread { try WebClient(settings).send(request) }
  }

  @Test func `a server is known by its certificate and its name`() async throws {
    defer { kill(server.processIdentifier, SIGKILL) }
    let trusting = WebSettings(certificateFile: folder.path + "/certificate.pem")
    #expect(try await ask("localhost", trusting).status == 200)
    await #expect(throws: WebError.certificate(host: "localhost")) {
      try await ask("localhost", WebSettings())
    }
    await #expect(throws: WebError.certificate(host: "127.0.0.1")) {
      try await ask("127.0.0.1", trusting)
    }
  }

  @Test func `a file without certificates is named`() throws {
    defer { kill(server.processIdentifier, SIGKILL) }
    let empty = try folder.file("nothing\n")
    #expect(throws: WebError.certificateFile(path: empty)) {
      try WebClient(WebSettings(certificateFile: empty))
    }
    #expect(throws: WebError.certificateFile(path: "/none")) {
      try WebClient(WebSettings(certificateFile: "/none"))
    }
  }
}
