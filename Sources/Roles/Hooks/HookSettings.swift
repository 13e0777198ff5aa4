package import MessageFormat

/// What a configuration of the role says, checked.
package struct HookSettings: Sendable {
  package enum Listen: Sendable, Equatable {
    /// Port 0: one that the kernel chooses.
    case address(host: String, port: UInt16)
    case socket(path: String, group: UInt32?, mode: UInt32)

    package var text: String {
      switch self {
      case .address(let host, let port):
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .socket(let path, _, _): "unix:\(path)"
      }
    }
  }

  package struct TLS: Sendable, Equatable {
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
      (self.certificate, self.key) = (certificate, key)
    }
  }

  package struct Hook: Sendable {
    package let path: String
    package let host: HookHost
    /// Empty only where the configuration says `insecure: true`.
    package let secretFiles: [String]
    package let remote: RemoteName

    package init(path: String, host: HookHost, secretFiles: [String], remote: RemoteName) {
      (self.path, self.host) = (path, host)
      (self.secretFiles, self.remote) = (secretFiles, remote)
    }
  }

  package let listen: Listen
  package let tls: TLS?
  package let state: String
  /// The signer's socket.
  package let signer: String
  package let hooks: [Hook]
  package let trustedProxies: [Network]
  package let requestsPerSecond: Int

  package init(
    listen: Listen, tls: TLS?, state: String, signer: String, hooks: [Hook],
    trustedProxies: [Network], requestsPerSecond: Int
  ) {
    (self.listen, self.tls, self.state, self.signer) = (listen, tls, state, signer)
    (self.hooks, self.trustedProxies) = (hooks, trustedProxies)
    self.requestsPerSecond = requestsPerSecond
  }

  /// Whether a server that runs can go on with `other`.
  package func hasSamePlace(as other: HookSettings) -> Bool {
    listen == other.listen && state == other.state && signer == other.signer
      && (tls == nil) == (other.tls == nil)
  }
}
