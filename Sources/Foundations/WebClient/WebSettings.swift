/// How servers are reached.
package struct WebSettings: Hashable, Sendable {
  /// A proxy, without credentials.
  package struct Proxy: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case http, socks }

    package let host: String
    package let port: Int
    package let kind: Kind

    package init(host: String, port: Int, kind: Kind = .http) {
      (self.host, self.port, self.kind) = (host, port, kind)
    }
  }

  /// Certificates of authorities in PEM form, in place of the system's.
  package let certificateFile: String?
  package let proxy: Proxy?

  package init(certificateFile: String? = nil, proxy: Proxy? = nil) {
    (self.certificateFile, self.proxy) = (certificateFile, proxy)
  }
}
