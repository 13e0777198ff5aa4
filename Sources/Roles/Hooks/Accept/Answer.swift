import HummingbirdCore
import NIOCore

/// What a request gets. Of an error strangers learn its number; hosts that have signed read a sentence as well.
struct Answer: Equatable, Sendable {
  let status: Int
  let text: String
  /// Headers besides those of every answer.
  let retryAfterSeconds: Int?

  private init(_ status: Int, _ text: String = "", retryAfterSeconds: Int? = nil) {
    (self.status, self.text) = (status, text)
    self.retryAfterSeconds = retryAfterSeconds
  }

  static let accepted = Answer(202, "accepted\n")
  static let repeated = Answer(200, "already received\n")
  static let test = Answer(200, "the hook works\n")
  static func ignored(_ reason: String) -> Answer { Answer(200, "ignored: \(reason)\n") }
  static let notUnderstood = Answer(400, "the payload is not understood\n")
  static let unauthorized = Answer(401)
  static let notFound = Answer(404)
  static let methodNotAllowed = Answer(405)
  static let tooLarge = Answer(413)
  static let unsupportedType = Answer(415)
  static let tooMany = Answer(429, retryAfterSeconds: 60)
  static let unavailable = Answer(503, retryAfterSeconds: 60)

  /// An error ends the connection: what is left of its request is not read.
  var closes: Bool { status >= 400 }

  func write(to writer: consuming ResponseWriter) async throws {
    var response = Response(
      status: .init(code: status), headers: [.cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    if !text.isEmpty { response.headers[.contentType] = "text/plain; charset=utf-8" }
    if status == 405 { response.headers[.allow] = "POST" }
    if let retryAfterSeconds { response.headers[.retryAfter] = "\(retryAfterSeconds)" }
    if closes { response.headers[.connection] = "close" }
    try await writer.write(response: response.head, body: response.body)
  }
}
