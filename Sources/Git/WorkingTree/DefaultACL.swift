internal import CLinux
internal import Glibc

/// What a directory hands down to the files that are made in it (acl(5), "OBJECT CREATION AND DEFAULT
/// ACLS"), for file systems where we have to do so ourselves.
///
/// The bytes are the kernel's (include/uapi/linux/posix_acl_xattr.h): a version, then for each entry a
/// tag, permissions and an id.
struct DefaultACL {
  private static let headerByteCount = 4
  private static let entryByteCount = 8
  private static let byteCountMax = 65_536  // XATTR_SIZE_MAX

  private var bytes: [UInt8]

  /// `nil`: none is set, or the file system has none.
  init?(of directory: borrowing Descriptor) throws(WorkingTreeError) {
    let readable = try directory.again(Descriptor.readFlags, describing: "a directory")
    var buffer = [UInt8](repeating: 0, count: Self.byteCountMax)
    let count = unsafe fgetxattr(
      readable.number, "system.posix_acl_default", &buffer, buffer.count)
    guard count > Self.headerByteCount else { return nil }
    bytes = Array(buffer.prefix(count))
  }

  func give(to file: borrowing Descriptor, _ permissions: mode_t) throws(WorkingTreeError) {
    let list = masked(by: permissions)
    guard
      unsafe fsetxattr(file.number, "system.posix_acl_access", list, list.count, 0) == 0
    else {
      throw .cannot(operation: "set the ACL of", path: "a staged file", code: errno)
    }
  }

  /// The owner, others, and the mask (or the group, where there is none) get no more than what the file
  /// is made with.
  private func masked(by permissions: mode_t) -> [UInt8] {
    let (owner, group, mask, other) = (UInt8(0x01), UInt8(0x04), UInt8(0x10), UInt8(0x20))
    let starts = stride(
      from: Self.headerByteCount, to: bytes.count - Self.entryByteCount + 1,
      by: Self.entryByteCount)
    let hasMask = starts.contains { bytes[$0] == mask }
    var result = bytes
    for start in starts {
      switch bytes[start] {
      case owner: result[start + 2] &= UInt8(permissions >> 6 & 7)
      case mask: result[start + 2] &= UInt8(permissions >> 3 & 7)
      case group where !hasMask: result[start + 2] &= UInt8(permissions >> 3 & 7)
      case other: result[start + 2] &= UInt8(permissions & 7)
      default: break
      }
    }
    return result
  }
}
