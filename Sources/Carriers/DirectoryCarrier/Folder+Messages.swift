import SharedFiles

/// A depositor's folder in a mailbox, with its messages.
extension Folder {
  /// What is no manifest is passed over, whatever it is.
  func manifests() throws(FolderError) -> [Manifest] {
    var manifests: [Manifest] = []
    for name in try manifestNames() {
      if let manifest = manifest(named: name) { manifests.append(manifest) }
    }
    return manifests.sorted { $0.written < $1.written }
  }

  func manifestNames() throws(FolderError) -> [String] {
    try names(
      scanMax: DirectoryLayout.scanCountMax, countMax: DirectoryLayout.acknowledgementCountMax,
      where: DirectoryLayout.isManifestName)
  }

  /// `nil`: not a manifest, not readable, or under another name than its own.
  func manifest(named name: String) -> Manifest? {
    do {
      let bytes = try content(of: name, byteCountMax: DirectoryLayout.manifestByteCountMax)
      guard let manifest = bytes.flatMap({ Manifest(decoding: $0) }), manifest.name == name else {
        return nil
      }
      return manifest
    } catch {
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
  /// Files with other names are left alone.
  func tidy(_ age: RemainsAge) throws(FolderError) {
    let names = try names(
      scanMax: DirectoryLayout.scanCountMax, countMax: DirectoryLayout.scanCountMax
    ) { DirectoryLayout.isTemporaryName($0) || DirectoryLayout.manifestName(ofFile: $0) != nil }
    var remains: [(name: String, changedAt: Int, ageMax: Int)] = []
    for name in names {
      let manifest = DirectoryLayout.manifestName(ofFile: name)
      if let manifest, try status(of: manifest) != nil { continue }
      guard let status = try status(of: name), status.isFile else { continue }
      remains.append((name, status.changedAt, manifest == nil ? age.temporary : age.unfinished))
    }
    guard !remains.isEmpty, isWritable else { return }
    let now = try clock()
    for file in remains where now - file.changedAt > file.ageMax { try remove(file.name) }
  }

  /// In seconds since 1970, by what gives files their times: ours may be another one, and must not take away what is
  /// being written.
  private func clock() throws(FolderError) -> Int {
    let name = DirectoryLayout.temporaryName(for: DirectoryLayout.acknowledgementsName)
    _ = try create(name)
    let status = try status(of: name)
    try remove(name)
    return status?.changedAt ?? 0
  }
}
