import CGit2

/// A form of the index that git reads and we do not.
package enum IndexForm: Equatable, Sendable {
  /// Most of it lies in another file (git-update-index(1), "SPLIT INDEX").
  case split
  /// Directories outside of a sparse checkout are entries (git-sparse-checkout(1), "INTERNALS—SPARSE INDEX").
  case sparse
  case other(String)

  /// By the extension that libgit2 names.
  init(libgit2Reason reason: String) {
    if reason.contains("'link'") {
      self = .split
    } else if reason.contains("'sdir'") {
      self = .sparse
    } else {
      self = .other(reason)
    }
  }

  var description: String {
    switch self {
    case .split: "is a split index, which is not supported"
    case .sparse: "is a sparse index, which is not supported"
    case .other(let reason): reason
    }
  }

  /// As arguments of git's.
  var remedy: String? {
    switch self {
    case .split: "update-index --no-split-index"
    case .sparse: "sparse-checkout disable"
    case .other: nil
    }
  }
}

extension Repository {
  /// Looks at the index as a step would, and writes nothing.
  /// - Throws: `indexUnreadable`, `indexUnsupported`.
  package func checkIndex() throws(GitError) {
    let file = IndexFile(path: gitDirectory + "index", copyPath: "")
    var opened: OpaquePointer?
    defer { unsafe git_index_free(opened) }
    guard unsafe git_index_open(&opened, file.path) != 0 else { return }
    let reason = Libgit2.lastReason
    if try !file.hasChecksum() { return }
    guard try file.isSound() else { throw .indexUnreadable(path: file.path, reason: reason) }
    throw .indexUnsupported(path: file.path, form: IndexForm(libgit2Reason: reason))
  }
}
