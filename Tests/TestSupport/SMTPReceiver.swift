import Foundation

/// A real mail server on the loopback, aiosmtpd (Debian: python3-aiosmtpd), which keeps what it takes. It refuses receivers
/// whose name has `refused` in it for good, and those with `later` for now.
package final class SMTPReceiver: @unchecked Sendable {
  package enum Encryption: String { case none, starttls, tls }

  package struct Mail: Decodable, Sendable {
    package let from: String
    package let to: [String]
    package let isEncrypted: Bool
    package let login: String?
    package let content: String

    /// The lines of a header, put together; `nil`: there is none.
    package func header(_ name: String) -> String? {
      let head = content.components(separatedBy: "\n\n")[0]
      let lines = head.replacing("\n ", with: " ").split(separator: "\n")
      return lines.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
        .map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) }
    }

    /// The encoded words of a header as text.
    package func text(of name: String) -> String? {
      guard let header = header(name) else { return nil }
      let words = header.matches(of: /=\?utf-8\?B\?([A-Za-z0-9+\/=]*)\?=/)
      let bytes = words.compactMap { Data(base64Encoded: String($0.output.1)) }.joined()
      return String(decoding: bytes, as: UTF8.self)
    }

    /// The bodies, in their order.
    package var parts: [String] {
      content.components(separatedBy: "Content-Transfer-Encoding: base64\n\n").dropFirst().map {
        let body = $0.components(separatedBy: "\n--")[0].replacing("\n", with: "")
        return String(decoding: Data(base64Encoded: body) ?? Data(), as: UTF8.self)
      }
    }
  }

  package let port: UInt16
  /// For trusting it; of `localhost`.
  package let certificate: String
  private let folder: TemporaryFolder
  private let process = Process()

  package init(
    _ encryption: Encryption = .none, user: String? = nil, password: String = "",
    port: UInt16? = nil
  ) throws {
    folder = try TemporaryFolder()
    self.port = try port ?? FreePort.take()
    certificate = folder.path + "/certificate.pem"
    let mails = folder.path + "/mails"
    try FileManager.default.createDirectory(
      atPath: mails, withIntermediateDirectories: false)
    try TestCertificate.make(certificate, key: folder.path + "/key.pem", in: folder)
    let options: [String: Any] = [
      "directory": mails, "port": Int(self.port), "certificate": certificate,
      "key": folder.path + "/key.pem", "encryption": encryption.rawValue, "user": user ?? "",
      "password": password,
    ]
    let json = String(
      decoding: try JSONSerialization.data(withJSONObject: options), as: UTF8.self)
    // Debian's, which has Debian's packages.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-W", "ignore", "-c", Self.script, json]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let line = output.fileHandleForReading.availableData
    guard String(decoding: line, as: UTF8.self).hasPrefix("ready") else {
      let reason = String(
        decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      throw RawConnection.Failure(call: "aiosmtpd: \(reason)", code: 0)
    }
  }

  deinit { end() }

  /// For good: signals that can be blocked are, in what a thread of the pool has started.
  package func end() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  package func mails() throws -> [Mail] {
    let directory = folder.path + "/mails"
    return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
      .filter { !$0.hasPrefix(".") }
      .map {
        let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + $0))
        return try JSONDecoder().decode(Mail.self, from: data)
      }
  }

  private static let script = """
    import asyncio, json, os, ssl, sys
    from aiosmtpd.smtp import SMTP, AuthResult

    options = json.loads(sys.argv[1])
    number = 0

    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
            if "refused" in address: return "550 5.1.1 no such user"
            if "later" in address: return "451 4.3.0 not now"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            global number
            number += 1
            mail = {
                "from": envelope.mail_from, "to": envelope.rcpt_tos,
                "isEncrypted": bool(server.transport.get_extra_info("sslcontext")),
                "login": session.auth_data.login.decode() if session.auth_data else None,
                "content": envelope.content.decode().replace("\\r\\n", "\\n"),
            }
            name = "%06d" % number
            path = os.path.join(options["directory"], "." + name)
            with open(path, "w") as file: json.dump(mail, file)
            os.rename(path, os.path.join(options["directory"], name))
            return "250 OK"

    def login(server, session, envelope, mechanism, data):
        good = (data.login.decode() == options["user"]
                and data.password.decode() == options["password"])
        if good: session.auth_data = data
        return AuthResult(success=good, handled=False, auth_data=data if good else None)

    arguments, context = {}, None
    if options["encryption"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"], options["key"])
    if options["encryption"] == "starttls":
        arguments.update(tls_context=context, require_starttls=True)
    if options["user"]:
        arguments.update(authenticator=login, auth_required=True, auth_require_tls=False)

    async def serve():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Handler(), loop=loop, **arguments), "127.0.0.1", options["port"],
            ssl=context if options["encryption"] == "tls" else None)
        print("ready", flush=True)
        await server.serve_forever()

    asyncio.run(serve())
    """
}

/// A certificate of `localhost` that signs itself.
package enum TestCertificate {
  package static func make(_ certificate: String, key: String, in folder: TemporaryFolder) throws {
    try Program.run(
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost",
      ], home: folder.path)
  }
}
