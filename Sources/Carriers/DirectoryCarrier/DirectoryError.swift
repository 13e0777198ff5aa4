/// Why a carried directory is not used.
package enum DirectoryError: Error, Equatable, CustomStringConvertible {
  /// Nothing is there, or nothing that was prepared: a stick that is not plugged in, or an empty mount point.
  case notThere(path: String)
  case notPrepared(path: String)
  case otherVersion(path: String)
  /// What lies there is not what its manifest says.
  case damaged(path: String, reason: String)

  package var description: String {
    switch self {
    case .notThere(let path): "\(path): is not there"
    case .notPrepared(let path):
      "\(path): has no \(DirectoryLayout.markerName): not mounted, or not prepared"
    case .otherVersion(let path): "\(path): was prepared for another version of distro"
    case .damaged(let path, let reason): "\(path): \(reason)"
    }
  }
}
