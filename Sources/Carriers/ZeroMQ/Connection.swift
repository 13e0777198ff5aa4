import CZeroMQ
import Glibc

/// A TCP connection of a socket's, by its descriptor: libzmq has no call that ends one.
package struct Connection: Hashable, Sendable {
  package let descriptor: Int32
  /// Of the kernel's socket, so that a descriptor that was closed and given away is not taken for it.
  private let inode: UInt64

  /// `nil`: it has gone meanwhile.
  package init?(descriptor: Int32) {
    guard descriptor >= 0, let inode = Self.inode(of: descriptor) else { return nil }
    self.descriptor = descriptor
    self.inode = inode
  }

  private static func inode(of descriptor: Int32) -> UInt64? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
      return nil
    }
    return UInt64(status.st_ino)
  }

  /// Ends it now, in both directions (shutdown(2)); libzmq's thread finds it broken and closes it. Does nothing where it
  /// has ended already.
  ///
  /// Where libzmq closes the descriptor, and the kernel gives it to a new connection, between the look and the call, that
  /// one is ended instead, which its client makes again.
  package func shutDown() {
    guard Self.inode(of: descriptor) == inode else { return }
    // Fails only where the other side was faster.
    _ = shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
