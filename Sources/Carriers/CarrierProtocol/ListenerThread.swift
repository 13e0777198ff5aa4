import Threads

/// A listener at work, on a thread of its own.
package final class ListenerThread: Sendable {
  package let listener: any CarrierListener
  private let thread: LoopThread

  /// `onFailure` is called on the thread when it can listen no longer.
  package init(
    _ listener: any CarrierListener, _ server: sending MailboxServer,
    arrived: @escaping @Sendable () -> Void,
    onFailure: @escaping @Sendable (any Error) -> Void
  ) throws {
    self.listener = listener
    var server: MailboxServer? = server
    thread = try LoopThread {
      guard let own = server.take() else { return }
      do {
        try listener.run(own, arrived: arrived)
      } catch {
        onFailure(error)
      }
    }
  }

  deinit { stop() }

  package func stop() {
    listener.stop()
    thread.join()
  }
}
