extension Folder {
  /// A file that is whole and durable as soon as it has its name: written under a temporary one, synced, renamed, and the
  /// folder synced. What a failure leaves of it is removed.
  package func place(
    _ name: String, under temporaryName: String,
    _ write: (FolderFile) throws -> Void
  ) throws {
    let file = try create(temporaryName)
    do {
      try write(file)
      try file.sync()
      try rename(temporaryName, to: name)
    } catch {
      do throws(FolderError) {
        try remove(temporaryName)
      } catch _ {
        // Then it goes by its age; what failed first is what is told.
      }
      throw error
    }
    try sync()
  }
}
