/// What is asked of a server.
package struct WebRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  package struct Header: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  package var method: Method
  package var address: WebAddress
  package var headers: [Header]
  /// Headers for this address's own origin; not sent on where a redirect leads elsewhere.
  package var credentials: [Header]
  package var body: [UInt8]?
  /// For all of it: connection, redirects and the last byte of the answer.
  package var deadline: Duration
  /// How many redirects are followed, of a `GET`; of others none, ever.
  package var redirectCountMax: Int

  package init(
    _ method: Method, _ address: WebAddress, headers: [Header] = [], credentials: [Header] = [],
    body: [UInt8]? = nil, deadline: Duration = .seconds(30), redirectCountMax: Int = 0
  ) {
    (self.method, self.address, self.headers) = (method, address, headers)
    (self.credentials, self.body, self.deadline) = (credentials, body, deadline)
    self.redirectCountMax = redirectCountMax
  }
}

/// What a server said.
package struct WebResponse: Sendable {
  package let status: Int
  /// As they came; names in any case.
  package let headers: [WebRequest.Header]
  package let body: [UInt8]

  package init(status: Int, headers: [WebRequest.Header], body: [UInt8]) {
    (self.status, self.headers, self.body) = (status, headers, body)
  }

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// The first value of a header, whatever case its name is in.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
