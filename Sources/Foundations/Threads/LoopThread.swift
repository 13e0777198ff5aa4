import Glibc
import Synchronization

/// A thread of its own for a loop that blocks, since Swift's own pool must not block; a socket belongs to one.
///
/// Its owner joins it before letting go; a thread that is not joined is a crash.
package final class LoopThread: Sendable {
  private let thread: Mutex<pthread_t?>

  package init(_ body: sending @escaping () -> Void) throws(ThreadError) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw ThreadError(.thread, code: code)
    }
    self.thread = Mutex(thread)
  }

  deinit {
    precondition(thread.withLock { $0 } == nil, "a thread is joined by its owner")
  }

  /// Waits for the body to end; a second call does nothing. Not from the thread itself.
  package func join() {
    thread.withLock { thread in
      guard let running = thread else { return }
      let code = pthread_join(running, nil)
      precondition(code == 0, "a thread cannot join itself")
      thread = nil
    }
  }
}

private final class ThreadStart {
  let body: () -> Void

  init(_ body: @escaping () -> Void) { self.body = body }
}
