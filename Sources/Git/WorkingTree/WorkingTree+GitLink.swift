package import GitModel
internal import Glibc

/// What the directory of a submodule holds under the name `.git`.
package enum GitLink: Equatable, Sendable {
  /// The directory is not there, or holds nothing at all.
  case emptyDirectory
  /// The directory has files, and no `.git`.
  case none
  case file([UInt8])
  /// A repository of its own, a link, a directory that is no directory.
  case other
}

// The file `.git` in the directory of a submodule: which git directory is its own (gitrepository-layout(5)).
extension WorkingTree {
  private static let byteCountMax = 8_192

  package func gitLink(in path: TreePath) throws(WorkingTreeError) -> GitLink {
    let names = EntryNames(path)
    let walk = try walk(to: names)
    switch walk.stop {
    case .missing: return .emptyDirectory
    case .blocked: return .other
    case nil: break
    }
    switch try walk.directory.directory(names.last) {
    case .missing: return .emptyDirectory
    case .blocked: return .other
    case .directory(let directory):
      let entry = names.last.entry(Array(".git".utf8))
      guard let status = try directory.status(entry) else {
        return try walk.directory.content(of: names.last, except: []) == nil
          ? .emptyDirectory : .none
      }
      guard status.isRegular, status.size <= Self.byteCountMax else { return .other }
      return .file(try directory.read(entry))
    }
  }

  /// Makes the file, and the directories that lead to it; one that is there stays.
  package func makeGitLink(in path: TreePath, _ text: [UInt8]) throws(WorkingTreeError) {
    let names = EntryNames(path)
    var directory = try root.again(Descriptor.walkFlags, describing: self.directory)
    for index in 0..<names.count {
      let code = directory.makeDirectory(names[index], permissions: 0o777)
      guard code == 0 || code == EEXIST else {
        throw .cannot("make the directory", names[index], code)
      }
      guard case .directory(let next) = try directory.directory(names[index]) else {
        throw .touched(names[index].treePath, .appeared)
      }
      directory = next
    }
    let entry = names.last.entry(Array(".git".utf8))
    let new = names.last.entry(Array(".git.distro".utf8))
    _ = directory.unlink(new)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let number = repeatWhileInterrupted {
      unsafe new.withCString { unsafe openat(directory.number, $0, flags, 0o666) }
    }
    guard number >= 0 else { throw .cannot("create", new, errno) }
    var writer = StagedFileWriter(
      number: 0, directory: TreePath.quoted(names.last.path), descriptor: Descriptor(owning: number)
    )
    try writer.append(text.span)
    try writer.descriptor.sync(describing: TreePath.quoted(new.path))
    let code = directory.rename(new, to: directory, entry, .noReplace)
    if code == EEXIST {
      _ = directory.unlink(new)
    } else if code != 0 {
      throw .cannot("name", new, code)
    }
    try directory.again(Descriptor.readFlags, describing: TreePath.quoted(names.last.path))
      .sync(describing: TreePath.quoted(names.last.path))
  }

  /// Removes the file where it has this content, and then the directory where nothing else is in it.
  package func removeGitLink(
    in path: TreePath, ifHolds text: [UInt8]
  ) throws(WorkingTreeError) {
    guard try gitLink(in: path) == .file(text) else { return }
    let names = EntryNames(path)
    let walk = try walk(to: names)
    guard walk.stop == nil,
      case .directory(let directory) = try walk.directory.directory(names.last)
    else { return }
    let entry = names.last.entry(Array(".git".utf8))
    let code = directory.unlink(entry)
    guard code == 0 || code == ENOENT else { throw .cannot("remove", entry, code) }
  }
}

extension Descriptor {
  fileprivate func read(_ entry: EntryName) throws(WorkingTreeError) -> [UInt8] {
    let number = repeatWhileInterrupted {
      unsafe entry.withCString { unsafe openat(self.number, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
    }
    guard number >= 0 else { throw .cannot("read", entry, errno) }
    return try Descriptor(owning: number).readToEnd(describing: TreePath.quoted(entry.path))
  }
}
