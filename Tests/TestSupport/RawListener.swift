import Glibc

/// A port of the loopback that takes connections into the kernel's queue, and says nothing. When it has gone, the port
/// can be taken again, and nobody else gets it.
package final class RawListener {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws {
    (descriptor, port) = try FreePort.listen(on: FreePort.take())
  }

  deinit { close(descriptor) }
}
