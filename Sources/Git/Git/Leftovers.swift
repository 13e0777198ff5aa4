import Glibc

extension Repository {
  /// Gives back the locks of git's that a killed run of ours had taken, and removes the packs that it was
  /// receiving. Locks that git's own programs hold, or have left, are not ours to judge.
  package func removeLeftovers(branch: String, _ lock: borrowing CheckoutLock) throws(GitError) {
    guard Self.isValidName(branch) else { throw .referenceNameInvalid(branch) }
    for path in lockCandidates(branch: branch) where try lock.isOurs(path) {
      try SystemFile.remove(path)
    }
    let objectsDirectory = commonDirectory + "objects/"
    for name in try SystemFile.names(in: objectsDirectory)
    where name.hasPrefix(QuarantinedPack.directoryPrefix) {
      try SystemFile.removeTree(objectsDirectory + name)
    }
  }
}
