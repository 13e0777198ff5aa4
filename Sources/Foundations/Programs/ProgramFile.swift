import Foundation
import Glibc

/// A file in the temporary directory that a program is to read, and that its user alone can read.
package struct ProgramFile: Sendable {
  package let path: String

  /// `account`: the program's; `nil`: that of this process.
  package init(_ bytes: [UInt8], for account: ProgramAccount?) throws(ProgramError) {
    path = NSTemporaryDirectory() + "/distro-" + UUID().uuidString
    let file = OpenDescriptor(
      unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600))
    guard file.number >= 0 else {
      throw .system(program: path, call: "open", code: errno)
    }
    do throws(ProgramError) {
      try file.write(bytes, for: path)
      if let account, fchown(file.number, account.user, account.group) != 0 {
        throw .system(program: path, call: "fchown", code: errno)
      }
    } catch {
      remove()
      throw error
    }
  }

  /// What cannot be removed stays in the temporary directory, as what a killed run leaves.
  package func remove() { _ = unsafe unlink(path) }
}
