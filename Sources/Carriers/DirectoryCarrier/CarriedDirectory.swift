package import SharedFiles

/// A directory that was prepared, while it is worked in. Not kept open in between: a stick can be unmounted.
package struct CarriedDirectory {
  package let root: Folder
  let mail: Folder

  /// Throws `DirectoryError` where there is no directory of ours, and never makes one.
  package init(
    _ path: String, gate: @escaping FolderStep.Gate = { _ in }
  ) throws {
    root = try Self.open(path, gate: gate)
    let text = try root.content(
      of: DirectoryLayout.markerName, byteCountMax: DirectoryLayout.manifestByteCountMax)
    guard let text, let mail = try root.folder(DirectoryLayout.mailName) else {
      throw DirectoryError.notPrepared(path: path)
    }
    guard text == Array(DirectoryLayout.markerText.utf8) else {
      throw DirectoryError.otherVersion(path: path)
    }
    self.mail = mail
  }

  /// Makes what a directory needs; `false`: it was prepared before. The directory itself must be there.
  package static func prepare(_ path: String) throws -> Bool {
    let root = try open(path) { _ in }
    _ = try root.makeFolder(DirectoryLayout.mailName)
    if try root.status(of: DirectoryLayout.markerName) != nil {
      _ = try CarriedDirectory(path)
      return false
    }
    try root.place(DirectoryLayout.markerName) {
      try $0.append(Array(DirectoryLayout.markerText.utf8))
    }
    return true
  }

  private static func open(_ path: String, gate: @escaping FolderStep.Gate) throws -> Folder {
    do {
      return try Folder.open(path, gate: gate)
    } catch {
      throw error.isMissing ? DirectoryError.notThere(path: path) : error
    }
  }
}
