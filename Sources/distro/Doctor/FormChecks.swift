import Foundation
import Git
import Host

/// How a checkout lies on its machine, and in what form git keeps it: what would stop a step.
struct FormChecks {
  private static let namedPathCountMax = 3

  let repository: Repository
  let path: String

  init(repository: Repository, path: String) {
    self.repository = repository
    self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  /// Other file systems: a file can be replaced within one only.
  func checkPlace(_ examination: inout Examination) {
    do {
      for mount in try Mounts.below(path) where !mount.hasPrefix(repository.gitDirectory) {
        examination.warn(
          .checkout, mount, "is another file system: files of the branch there cannot be replaced",
          do: "unmount it, or keep the branch's files out of it")
      }
    } catch {
      examination.fail(.checkout, path, error)
    }
  }

  /// False: it cannot be read.
  func checkIndex(_ examination: inout Examination) throws -> Bool {
    do throws(GitError) {
      try repository.checkIndex()
      return true
    } catch {
      switch error {
      case .indexUnsupported: examination.fail(.checkout, path, error)
      case .indexUnreadable:
        examination.warn(
          .checkout, path, "\(error)", do: "nothing: the next message makes it anew from HEAD")
      default: throw error
      }
      return false
    }
  }

  func checkImmutable(_ examination: inout Examination) throws {
    let git = repository.gitDirectory
    var found = [path, git, git + "HEAD", git + "index"].filter(FileRights.isImmutable)
    found += try repository.trackedPaths(countMax: Self.namedPathCountMax) { name in
      FileRights.isImmutable(path + "/" + name)
    }.map { path + "/" + $0 }
    guard !found.isEmpty else { return }
    examination.fail(
      .checkout, path,
      "has files that the system keeps from being changed: "
        + found.prefix(Self.namedPathCountMax).joined(separator: ", "),
      do: "as root: chattr -i -a FILE; see lsattr")
  }
}
