import Glibc

/// A group of users: group(5).
package enum SystemGroup {
  private static let byteCountMax = 1 << 20

  /// The group's number; `nil`: no group has this name. A number is taken as it is.
  package static func number(of name: String) throws(HostError) -> UInt32? {
    if let number = UInt32(name) { return number }
    var size = 1 << 10
    while true {
      var buffer = [CChar](repeating: 0, count: size)
      var entry = unsafe group()
      var found: UnsafeMutablePointer<group>?
      let code = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
      if code == 0 { return unsafe found == nil ? nil : entry.gr_gid }
      if [ENOENT, ESRCH].contains(code) { return nil }
      guard code == ERANGE, size < byteCountMax else {
        throw .system(call: "getgrnam", subject: name, code: code)
      }
      size *= 2
    }
  }
}
