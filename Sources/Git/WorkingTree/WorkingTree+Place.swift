internal import Glibc

extension WorkingTree {
  /// Removes a directory with nothing in it; one that holds anything stays. False: it is still there.
  @discardableResult
  package static func removeIfEmpty(_ directory: String) -> Bool {
    unsafe rmdir(directory) == 0 || errno == ENOENT
  }
}
