package import WebClient

/// A project at an IronMQ: `https://HOST[:PORT]/3/projects/ID`. Plain HTTP is for a host on this machine alone.
package struct IronMQAddress: Sendable, Hashable {
  package let base: WebAddress

  package enum Fault: String, Error, Sendable {
    case host = "must be a host name as in mq-aws-us-east-1-1.iron.io, or https://HOST[:PORT]"
    case plain = "must be https: without TLS, anybody on the way reads the token"
    case port = "the port must be a number from 1 to 65535, and be named once"
    case project = "must be the project's ID: letters, digits, '-' and '_'"
  }

  /// `host`: a name, or an origin, `https://` or `http://` with a name and perhaps a port.
  package init(host: String, port: Int? = nil, project: String) throws(Fault) {
    guard !project.isEmpty, project.utf8.count <= 128, project.utf8.allSatisfy(\.isOfName) else {
      throw .project
    }
    guard (1...65_535).contains(port ?? 1) else { throw .port }
    let (scheme, authority) = try Self.split(host)
    let hasPort = authority.lastIndex(of: ":").map { !authority[$0...].contains("]") } ?? false
    guard !hasPort || port == nil else { throw .port }
    if hasPort {
      let digits = authority[
        authority.index(after: authority.lastIndex(of: ":") ?? authority.startIndex)...]
      guard let number = UInt16(digits), number > 0 else { throw .port }
    }
    let place = port.map { "\(authority):\($0)" } ?? String(authority)
    do throws(WebError) {
      base = try WebAddress("\(scheme)\(place)/3/projects/\(project)")
    } catch {
      // The text is a URL by now: what is left is plain HTTP to another machine, or no host.
      throw scheme == "http://" && !authority.isEmpty ? .plain : .host
    }
  }

  private static func split(_ host: String) throws(Fault) -> (scheme: String, Substring) {
    var (scheme, authority) = ("https://", host[...])
    for known in ["https://", "http://"] where host.hasPrefix(known) {
      (scheme, authority) = (known, host.dropFirst(known.count))
    }
    if authority.hasSuffix("/") { authority = authority.dropLast() }
    let isName = authority.utf8.allSatisfy { $0.isOfName || "-.:[]".utf8.contains($0) }
    guard !authority.isEmpty, isName else { throw .host }
    return (scheme, authority)
  }
}

extension UInt8 {
  /// Letters, digits, hyphens and underscores of ASCII: they are themselves in a URL and in JSON.
  var isOfName: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
