import Glibc

/// Which file a path led to at one time.
package struct StatePlace: Sendable {
  package let path: String
  private let device: dev_t
  private let inode: ino_t

  package init(_ path: String) throws(SpoolError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .cannot(operation: "look at", path: path, code: errno)
    }
    (self.path, device, inode) = (path, status.st_dev, status.st_ino)
  }

  /// Whether it still leads there.
  package var isStillThere: Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode
  }
}

extension SpoolDirectory {
  /// `nil`: there is nothing of the name, which may be a whole path.
  package func size(of path: String) throws(SpoolError) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .cannot(operation: "look at", path: path, code: errno)
    }
    return status.st_size
  }

  /// A user that is not root, and works here: the directory is theirs or, where it is not there yet, the one that it would
  /// be made in, and private.
  package var otherUser: (path: String, user: UInt32)? {
    get throws(SpoolError) {
      var place = path
      var status = stat()
      while unsafe stat(place, &status) != 0 {
        guard errno == ENOENT || errno == ENOTDIR else {
          throw .cannot(operation: "look at", path: place, code: errno)
        }
        guard let slash = place.lastIndex(of: "/"), slash != place.startIndex else { return nil }
        place = String(place[..<slash])
      }
      let isMade = place == path
      guard status.st_uid != 0, isMade || status.st_mode & 0o077 == 0 else { return nil }
      return (place, status.st_uid)
    }
  }

  package func contains(_ name: String) -> Bool { unsafe access(path(of: name), F_OK) == 0 }

  /// A file without content, whose name is on the disk when it returns.
  package func makeEmpty(_ name: String) throws(SpoolError) {
    let descriptor = unsafe open(path(of: name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .cannot(operation: "make", path: path(of: name), code: errno)
    }
    close(descriptor)
    try sync()
  }
}
