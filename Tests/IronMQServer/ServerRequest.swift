import Foundation

/// A request as it came.
package struct ServerRequest: Sendable {
  package let method: String
  /// Without what stands behind a question mark.
  package let path: String
  /// Names in lower case.
  package let headers: [String: String]
  package let body: [UInt8]

  package init(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) {
    (self.method, self.headers, self.body) = (method, headers, body)
    self.path = String(path.prefix { $0 != "?" })
  }

  /// The whole of it: line, headers and body.
  package var byteCount: Int {
    headers.reduce(method.utf8.count + path.utf8.count + 12 + body.count) {
      $0 + $1.key.utf8.count + $1.value.utf8.count + 4
    }
  }

  /// An empty body is an empty object; `nil`: it is none.
  var object: [String: Any]? {
    guard !body.isEmpty else { return [:] }
    return (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
  }
}

package struct ServerReply: Sendable, Equatable {
  package let status: Int
  package let body: String
  package var headers: [String: String] = [:]

  init(_ status: Int, _ body: String) { (self.status, self.body) = (status, body) }

  static func said(_ status: Int, _ message: String) -> ServerReply {
    ServerReply(status, #"{"msg":\#(json(message))}"#)
  }

  /// A text as JSON has it.
  static func json(_ text: String) -> String {
    guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
    return String(decoding: data, as: UTF8.self)
  }
}
