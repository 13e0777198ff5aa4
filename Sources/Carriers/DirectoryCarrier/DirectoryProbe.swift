package import MessageFormat
import SharedFiles

/// What is to be seen of a carried directory without changing anything.
package struct DirectoryProbe {
  /// Messages in one mailbox of one depositor.
  package struct Waiting: Equatable, Sendable {
    package let messageCount: Int
    package let byteCount: UInt64
  }

  private let directory: CarriedDirectory

  /// Throws `DirectoryError` where there is no directory of ours.
  package init(_ path: String) throws { directory = try CarriedDirectory(path) }

  /// How large one file may grow there; `nil`: nothing is in the way.
  package var fileByteCountMax: UInt64? { directory.mail.fileByteCountMax }

  package func waiting(for mailbox: Mailbox, from depositor: Mailbox) throws -> Waiting {
    let folder = try directory.mail.plainFolder(DirectoryLayout.short(mailbox))?
      .plainFolder(DirectoryLayout.short(depositor))
    let manifests = try folder?.manifests() ?? []
    return Waiting(
      messageCount: manifests.count,
      byteCount: manifests.reduce(0) { $0 &+ $1.size.byteCount })
  }

  /// The folders that we write to, as far as they are there, and are closed to this user.
  package func closedFolders(of owner: Mailbox, with others: [Mailbox]) throws -> [String] {
    var folders = [directory.mail]
    for other in others {
      guard let mailbox = try directory.mail.folder(DirectoryLayout.short(other)) else { continue }
      folders.append(try mailbox.folder(DirectoryLayout.short(owner)) ?? mailbox)
    }
    return folders.filter { !$0.isWritable }.map(\.path)
  }
}
