import SharedFiles

/// A depositor's folder in a mailbox, with its messages.
extension Folder {
  /// What is no manifest is passed over, whatever it is.
  func manifests() throws(FolderError) -> [Manifest] {
    var manifests: [Manifest] = []
    for name in try manifestNames() {
      if let manifest = try manifest(named: name) { manifests.append(manifest) }
    }
    return manifests.sorted { $0.written < $1.written }
  }

  func manifestNames() throws(FolderError) -> [String] {
    try names(
      scanMax: DirectoryLayout.scanCountMax, countMax: DirectoryLayout.acknowledgementCountMax,
      where: DirectoryLayout.isManifestName)
  }

  /// `nil`: is none, or lies under another name than its own.
  func manifest(named name: String) throws(FolderError) -> Manifest? {
    do {
      let bytes = try content(of: name, byteCountMax: DirectoryLayout.manifestByteCountMax)
      guard let manifest = bytes.flatMap({ Manifest(decoding: $0) }), manifest.name == name else {
        return nil
      }
      return manifest
    } catch let error where error.isOfOneFile {
      return nil
    }
  }

  /// None where there is no file, or one that is not whole: what comes again is acknowledged again.
  func acknowledgements() throws(FolderError) -> Acknowledgements {
    do {
      let bytes = try content(
        of: DirectoryLayout.acknowledgementsName,
        byteCountMax: DirectoryLayout.acknowledgementsByteCountMax)
      return bytes.flatMap { Acknowledgements(decoding: $0) } ?? Acknowledgements()
    } catch let error where error.isOfOneFile {
      return Acknowledgements()
    }
  }

  func place(_ acknowledgements: Acknowledgements) throws {
    try place(DirectoryLayout.acknowledgementsName) { try $0.append(acknowledgements.encoded()) }
  }

  func place(_ manifest: Manifest) throws {
    try place(manifest.name) { try $0.append(manifest.encoded()) }
  }

  /// The manifest first: without it the files are none that anyone reads.
  func remove(_ manifest: Manifest) throws(FolderError) {
    try remove(manifest.name)
    for index in 0..<manifest.fileCount { try remove(manifest.fileName(index)) }
  }

  /// Every depositor's folder below a mailbox's, or every mailbox's below `mail`.
  func folderNames() throws(FolderError) -> [String] {
    try names(
      scanMax: DirectoryLayout.scanCountMax, countMax: DirectoryLayout.folderCountMax,
      where: DirectoryLayout.isFolderName
    ).sorted()
  }

  /// As `folder`, but what is something else, or closed to us, is passed over.
  func plainFolder(_ name: String) throws(FolderError) -> Folder? {
    do {
      return try folder(name)
    } catch let error where error.isOfOneFile {
      return nil
    }
  }

  /// Removes what killed runs have left in a folder of messages: temporary files, and files whose manifest never came.
  /// A name that is none of ours is left alone. `now`: seconds since 1970; of a clock that was wrong, either way.
  func tidy(at now: Int) throws(FolderError) {
    let names = try names(
      scanMax: DirectoryLayout.scanCountMax, countMax: DirectoryLayout.scanCountMax
    ) { DirectoryLayout.isTemporaryName($0) || DirectoryLayout.manifestName(ofFile: $0) != nil }
    for name in names {
      guard let status = try status(of: name), status.isFile else { continue }
      let age = abs(now - status.changedAt)
      if let manifest = DirectoryLayout.manifestName(ofFile: name) {
        guard age > DirectoryLayout.unfinishedSecondsMax, try self.status(of: manifest) == nil
        else { continue }
      } else {
        guard age > DirectoryLayout.temporarySecondsMax else { continue }
      }
      try remove(name)
    }
  }
}
