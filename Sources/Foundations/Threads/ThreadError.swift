import Glibc

/// The system made no thread (pthread_create(3)), or nothing to wake one by (socketpair(2)): a limit on threads, descriptors
/// or memory is reached.
package struct ThreadError: Error, Equatable, CustomStringConvertible {
  package enum Lack: Sendable { case thread, wakeUp }

  package let lack: Lack
  package let code: Int32

  init(_ lack: Lack, code: Int32) { (self.lack, self.code) = (lack, code) }

  package var description: String {
    let text = unsafe String(cString: strerror(code))
    return switch lack {
    case .thread: "cannot start a thread: \(text)"
    case .wakeUp: "cannot make a pair of sockets: \(text)"
    }
  }
}
