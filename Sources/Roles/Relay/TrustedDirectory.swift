import MessageFormat
import Sealing
import Sodium
package import Spool

/// A directory of public identities: `*.pub` is let in, `*.revoked`, of the same content, is kept out whatever else says
/// that it is let in. Other files are passed over.
package struct TrustedDirectory: Sendable {
  /// A file that does not say what it should; its identity is not let in.
  package struct Fault: Hashable, Sendable {
    package let file: String
    package let reason: String
  }

  private struct File {
    let entry: DirectoryListing.Entry
    let content: Result<PublicIdentity, SodiumError>

    var identity: PublicIdentity? {
      if case .success(let identity) = content { identity } else { nil }
    }
  }

  private static let trusted = ".pub"
  private static let revoked = ".revoked"

  package let path: String
  private var listing: DirectoryListing?
  private var files: [String: File] = [:]

  package init(_ path: String) { self.path = path }

  /// Looks whether anything has changed since the last time, and reads what has; `true`: something had.
  ///
  /// Where the directory cannot be read, none of its identities is trusted. Nothing changes for want of descriptors or
  /// memory (`isShortage`): strangers could bring that about, and shut everyone out.
  package mutating func refresh() throws(SpoolError) -> Bool {
    // Before the files: what changes while they are read is found the next time.
    let current: DirectoryListing
    do throws(SpoolError) {
      current = try DirectoryListing(of: path, countMax: Limits.trustedFileCountMax)
    } catch {
      if !error.isShortage { (listing, files) = (nil, [:]) }
      throw error
    }
    guard current != listing else { return false }
    var read: [String: File] = [:]
    for entry in current.entries where Self.isIdentity(entry.name) {
      if let known = files[entry.name], known.entry == entry {
        read[entry.name] = known
      } else {
        let content = Self.read(path + "/" + entry.name)
        if case .failure(.system(_, let file, let code)) = content {
          let error = SpoolError.cannot(operation: "read", path: file, code: code)
          if error.isShortage { throw error }
        }
        read[entry.name] = File(entry: entry, content: content)
      }
    }
    (listing, files) = (current, read)
    return true
  }

  private static func isIdentity(_ name: String) -> Bool {
    !name.hasPrefix(".") && (name.hasSuffix(trusted) || name.hasSuffix(revoked))
  }

  private static func read(_ path: String) -> Result<PublicIdentity, SodiumError> {
    Result { () throws(SodiumError) in try KeyFile.readPublic(path) }
  }

  /// Of the `.pub` files, in the order of their names; not yet without those that are revoked.
  var identities: [PublicIdentity] {
    files.sorted { $0.key < $1.key }.compactMap { name, file in
      guard name.hasSuffix(Self.trusted), !isRevokedByABrokenFile(name) else { return nil }
      return file.identity
    }
  }

  var revokedMailboxes: Set<Mailbox> {
    Set(
      files.filter { $0.key.hasSuffix(Self.revoked) }.compactMap { $0.value.identity?.mailbox })
  }

  /// NAME.revoked that cannot be read means NAME.pub: it is the safe side.
  private func isRevokedByABrokenFile(_ name: String) -> Bool {
    let twin = files[name.dropLast(Self.trusted.count) + Self.revoked]
    return twin.map { $0.identity == nil } ?? false
  }

  var faults: [Fault] {
    files.sorted { $0.key < $1.key }.compactMap { name, file in
      guard case .failure(let error) = file.content else { return nil }
      return Fault(file: path + "/" + name, reason: "\(error)")
    }
  }
}
