package import Git
package import LargeFiles

extension Repository {
  /// Where git-lfs keeps the contents of large files of this repository: `lfs` in the git directory, or `lfs.storage`. What
  /// is made there is as shared as `core.sharedRepository` says.
  package var largeFiles: LargeFileStore {
    get throws(GitError) {
      let permissions = try sharedPermissions
      return LargeFileStore(
        gitDirectory: commonDirectory, storage: try configuredLargeFileStorage
      ) { (path: String) throws(LargeFileError) in
        do throws(GitError) {
          try permissions.adjust(path)
        } catch {
          guard case .system(let call, let path, let code) = error else {
            preconditionFailure("rights are set by system calls")
          }
          throw LargeFileError.cannot(operation: call, path: path, code: code)
        }
      }
    }
  }
}
