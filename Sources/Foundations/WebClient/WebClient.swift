import AsyncHTTPClient
import NIOSSL
import Synchronization

/// HTTP for threads that may block: each call returns with an answer or an error, by its deadline.
///
/// The task of a request runs on the thread that asks, so that a slow disk blocks no other. Any number of threads may ask.
/// Connections are kept for a minute and used again. An answer is never more than the caller's limit, in memory and on disk.
package final class WebClient: Sendable {
  private static let connectSeconds: Int64 = 10
  /// Between two pieces of an answer.
  private static let silenceSeconds: Int64 = 60
  private static let errorByteCountMax = 64 << 10

  private struct Running {
    var isStopped = false
    var number = 0
    var tasks: [Int: Task<Void, Never>] = [:]
  }

  private let client: HTTPClient
  private let running = Mutex(Running())

  package init(_ settings: WebSettings = WebSettings()) throws(WebError) {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let file = settings.certificateFile {
      do {
        let certificates = try NIOSSLCertificate.fromPEMFile(file)
        guard !certificates.isEmpty else { throw WebError.certificateFile(path: file) }
        tls.trustRoots = .certificates(certificates)
      } catch {
        throw .certificateFile(path: file)
      }
    }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(
        connect: .seconds(Self.connectSeconds), read: .seconds(Self.silenceSeconds)),
      proxy: settings.proxy.map { proxy in
        switch proxy.kind {
        case .http: .server(host: proxy.host, port: proxy.port)
        case .socks: .socksServer(host: proxy.host, port: proxy.port)
        }
      })
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(
      eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
      configuration: configuration)
  }

  deinit {
    do {
      try client.syncShutdown()
    } catch {
      // Nothing asks any more, as nothing holds it: what is left are idle connections.
    }
  }

  /// The answer, whatever its status.
  package func send(
    _ request: WebRequest, byteCountMax: Int = 1 << 20
  ) throws(WebError) -> WebResponse {
    try perform(request) { response, host in
      try await Self.read(response, of: host, byteCountMax: byteCountMax)
    }
  }

  /// The body of a good answer goes into a new file. No file is left where this throws, or where the status is not
  /// one of success. The file is not synced.
  ///
  /// `resuming`: the file may be there, and holds the beginning of the answer; where the server lets us, it goes on behind
  /// it. What has come stays when this throws.
  package func download(
    _ request: WebRequest, to path: String, byteCountMax: UInt64, resuming: Bool = false
  ) throws(WebError) -> WebResponse {
    var request = request
    let start = resuming ? try DownloadFile.byteCount(of: path) : 0
    if start > 0 { request.headers.append(.init("Range", "bytes=\(start)-")) }
    return try perform(request) { response, host in
      guard (200..<300).contains(Int(response.status.code)) else {
        return try await Self.read(response, of: host, byteCountMax: Self.errorByteCountMax)
      }
      let range = response.headers.first(name: "content-range")
      let goesOn =
        start > 0 && response.status == .partialContent
        && range?.hasPrefix("bytes \(start)-") == true
      guard goesOn || response.status != .partialContent else {
        throw WebError.broken(host: host, reason: "sends another part than was asked for")
      }
      var count = goesOn ? start : 0
      let tooLarge = WebError.tooLarge(host: host, byteCountMax: byteCountMax)
      if let length = response.headers.first(name: "content-length").flatMap({ UInt64($0) }),
        length > byteCountMax - min(count, byteCountMax)
      {
        throw tooLarge
      }
      var file = try DownloadFile(path, resuming: resuming, from: count)
      for try await part in response.body {
        count += UInt64(part.readableBytes)
        guard count <= byteCountMax else { throw tooLarge }
        try file.write(Array(part.readableBytesView))
      }
      file.keep()
      return WebResponse(response, body: [])
    }
  }

  /// Requests that run end with `stopped`, and so do all that come.
  package func stop() {
    let tasks = running.withLock { running in
      running.isStopped = true
      return running.tasks.values
    }
    for task in tasks { task.cancel() }
  }

  private static func read(
    _ response: HTTPClientResponse, of host: String, byteCountMax: Int
  ) async throws -> WebResponse {
    var body: [UInt8] = []
    for try await part in response.body {
      guard body.count + part.readableBytes <= byteCountMax else {
        throw WebError.tooLarge(host: host, byteCountMax: UInt64(byteCountMax))
      }
      body += part.readableBytesView
    }
    return WebResponse(response, body: body)
  }

  // MARK: - Running

  private func perform(
    _ request: WebRequest,
    _ finish: @escaping @Sendable (HTTPClientResponse, String) async throws -> WebResponse
  ) throws(WebError) -> WebResponse {
    let client = client
    let run = BlockingRun<WebResponse>(by: request.deadline) {
      try await Self.follow(request, with: client, finish)
    }
    let number = running.withLock { running -> Int? in
      guard !running.isStopped else { return nil }
      running.number += 1
      running.tasks[running.number] = run.start()
      return running.number
    }
    guard let number else { throw .stopped }
    defer { running.withLock { running in running.tasks[number] = nil } }
    do {
      return try run.wait()
    } catch is RunDeadline {
      throw .deadline(
        host: request.address.host, seconds: Int(request.deadline.components.seconds))
    } catch is CancellationError {
      throw .stopped
    } catch {
      let isStopped = running.withLock { $0.isStopped }
      throw isStopped ? .stopped : WebError(error, of: request)
    }
  }

  private static func follow(
    _ request: WebRequest, with client: HTTPClient,
    _ finish: @Sendable (HTTPClientResponse, String) async throws -> WebResponse
  ) async throws -> WebResponse {
    var address = request.address
    var status = 0
    for _ in 0...max(0, request.redirectCountMax) {
      var prepared = HTTPClientRequest(url: address.text)
      prepared.method = .init(rawValue: request.method.rawValue)
      prepared.headers.add(name: "User-Agent", value: "distro")
      for header in request.headers { prepared.headers.add(name: header.name, value: header.value) }
      if address.hasSameOrigin(as: request.address) {
        for header in request.credentials {
          prepared.headers.add(name: header.name, value: header.value)
        }
      }
      if let body = request.body { prepared.body = .bytes(body) }
      let response = try await client.execute(
        prepared, timeout: .seconds(1 + request.deadline.components.seconds))
      guard [301, 302, 303, 307, 308].contains(response.status.code) else {
        return try await finish(response, address.host)
      }
      status = Int(response.status.code)
      let next = try address.resolving(response.headers.first(name: "location") ?? "")
      guard request.method == .get else {
        throw WebError.redirected(host: address.host, status: status, to: next.origin)
      }
      // Read to its end, the connection can be used again.
      _ = try await read(response, of: address.host, byteCountMax: errorByteCountMax)
      address = next
    }
    throw WebError.redirected(host: request.address.host, status: status, to: address.origin)
  }
}

extension WebResponse {
  fileprivate init(_ response: HTTPClientResponse, body: [UInt8]) {
    self.init(
      status: Int(response.status.code), headers: response.headers.map { .init($0.name, $0.value) },
      body: body)
  }
}

extension WebError {
  /// What the library says, in our words.
  fileprivate init(_ error: any Error, of request: WebRequest) {
    let host = request.address.host
    switch error {
    case let error as WebError: self = error
    case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
      self = .deadline(host: host, seconds: Int(request.deadline.components.seconds))
    case let error as HTTPClientError
    where [.connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout].contains(error):
      self = .unreachable(host: host, reason: "no answer within 10 s")
    case let error as HTTPClientError
    where [.proxyAuthenticationRequired, .invalidProxyResponse].contains(error):
      self = .unreachable(host: host, reason: "the proxy refuses")
    case is NIOSSLExtraError: self = .certificate(host: host)
    case is NIOSSLError where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
      self = .certificate(host: host)
    case is NIOSSLError: self = .unreachable(host: host, reason: "no TLS connection")
    case is HTTPClientError: self = .broken(host: host, reason: "\(error)")
    default: self = .unreachable(host: host, reason: Self.reason(of: error))
    }
  }

  /// Of an error of NIO's, which names the system call.
  private static func reason(of error: any Error) -> String {
    let text = "\(error)"
    for (part, reason) in [
      ("ECONNREFUSED", "connection refused"), ("errno: 111", "connection refused"),
      ("errno: 113", "no route to host"), ("errno: 101", "network is unreachable"),
      ("dnsAError", "unknown host name"),
    ] where text.contains(part) {
      return reason
    }
    return String(text.prefix(200))
  }
}
