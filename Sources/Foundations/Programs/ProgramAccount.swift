import Glibc

/// The user and the groups that a program runs as: passwd(5), group(5). Only root may give a program another user than its own.
package struct ProgramAccount: Hashable, Sendable {
  private static let byteCountMax = 1 << 20
  private static let groupCountMax: Int32 = 65_536

  package let user: UInt32
  package let group: UInt32
  /// All of the user's groups.
  package let groups: [UInt32]
  package let home: String
  package let name: String

  /// `group`: in place of the user's own.
  package init(user name: String, group: UInt32? = nil) throws(ProgramError) {
    var size = 1 << 10
    while true {
      var buffer = [CChar](repeating: 0, count: size)
      var entry = unsafe passwd()
      var found: UnsafeMutablePointer<passwd>?
      let code = unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
      if code == ERANGE, size < Self.byteCountMax {
        size *= 2
        continue
      }
      guard code == 0, unsafe found != nil else { throw .accountMissing(name) }
      self.name = name
      unsafe (user, home) = (entry.pw_uid, String(cString: entry.pw_dir))
      self.group = unsafe group ?? entry.pw_gid
      groups = Self.groups(of: name, with: self.group)
      return
    }
  }

  private static func groups(of name: String, with group: UInt32) -> [UInt32] {
    var count: Int32 = 32
    while true {
      var groups = [gid_t](repeating: 0, count: Int(count))
      // Where they do not fit, it says how many there are: getgrouplist(3).
      let code = unsafe getgrouplist(name, group, &groups, &count)
      if code >= 0 || count > groupCountMax { return Array(groups.prefix(Int(count))) }
    }
  }
}
