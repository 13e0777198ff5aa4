import Glibc

/// The system made no thread: the limit on threads or on memory is reached (pthread_create(3)).
package struct ThreadError: Error, Equatable, CustomStringConvertible {
  package let code: Int32

  package var description: String {
    "cannot start a thread: \(unsafe String(cString: strerror(code)))"
  }
}
