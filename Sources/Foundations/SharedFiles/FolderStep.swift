/// What changes something in a folder. A gate is asked before each.
package enum FolderStep: String, CaseIterable, Sendable {
  case makeFolder, create, write, sync, rename, remove, syncFolder

  /// Ends the process or throws, for a test that pulls a stick out; otherwise does nothing.
  package typealias Gate = @Sendable (FolderStep) throws(FolderError) -> Void
}
