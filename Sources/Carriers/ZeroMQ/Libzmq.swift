import CZeroMQ

/// The library as a whole: which one is loaded, and whether it will do.
package enum Libzmq {
  /// Before 4.3.2, a stranger writes past a buffer during the CURVE handshake (CVE-2019-13132).
  /// Before 4.3.3, one connection that never shakes hands starves all others (CVE-2020-15166), and
  /// a peer can write past a message (CVE-2021-20235).
  package static let versionMin = LibraryVersion(major: 4, minor: 3, patch: 3)

  /// Of the library that is loaded, not of the headers that were compiled.
  package static var version: LibraryVersion {
    var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
    unsafe zmq_version(&major, &minor, &patch)
    return LibraryVersion(major: Int(major), minor: Int(minor), patch: Int(patch))
  }

  package static func requireVersion(
    atLeast required: LibraryVersion = versionMin
  ) throws(ZeroMQError) {
    let version = version
    guard version >= required else {
      throw .libraryTooOld(version: version, required: required)
    }
  }

  package static func requireCurve() throws(ZeroMQError) {
    guard unsafe zmq_has("curve") == 1 else { throw .curveMissing }
  }

  /// Of the call that failed last on this thread; only meaningful right after it.
  static var lastCode: Int32 { zmq_errno() }

  static func lastFailure(of call: String) -> ZeroMQError {
    let code = lastCode
    return code == ETERM ? .contextEnded : .system(call: call, code: code)
  }

  static func check(_ code: Int32, _ call: String) throws(ZeroMQError) {
    guard code < 0 else { return }
    throw lastFailure(of: call)
  }

  static func text(of code: Int32) -> String {
    guard let text = unsafe zmq_strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}

package struct LibraryVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let major: Int
  package let minor: Int
  package let patch: Int

  package init(major: Int, minor: Int, patch: Int) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  package static func < (one: LibraryVersion, other: LibraryVersion) -> Bool {
    (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch)
  }

  package var description: String { "\(major).\(minor).\(patch)" }
}
