import Glibc
import Synchronization

/// Ends the programs that run under it, and all that would begin. Set once, from any thread.
package final class ProgramStop: Sendable {
  /// Readable from the moment that it is set, and never read.
  let descriptor: Int32
  private let writer: Int32
  private let watchers = Mutex(Watchers())

  private struct Watchers {
    var isSet = false
    var number = 0
    var actions: [Int: @Sendable () -> Void] = [:]
  }

  package init() throws(ProgramError) {
    let pipe = try DescriptorPipe.make(for: "stop")
    (descriptor, writer) = (pipe.reader.take(), pipe.writer.take())
  }

  deinit {
    close(descriptor)
    close(writer)
  }

  package var isSet: Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe Glibc.poll(&poll, 1, 0) > 0
  }

  /// Returns when it is set, or after so long; `true`: it is set.
  package func wait(for duration: Duration) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = max(0, (duration / .milliseconds(1)).rounded(.up))
    return unsafe Glibc.poll(&poll, 1, Int32(min(milliseconds, 60_000))) > 0
  }

  package func set() {
    let actions = watchers.withLock { watchers in
      watchers.isSet = true
      return watchers.actions.values
    }
    for action in actions { action() }
    var byte: UInt8 = 1
    // Where it does not take the byte, it has been set often enough.
    _ = unsafe write(writer, &byte, 1)
  }

  /// For what is no program: `action` runs when it is set while `body` runs, and at once where it was set before.
  package func whenSet<Value, E: Error>(
    _ action: @escaping @Sendable () -> Void, during body: () throws(E) -> Value
  ) throws(E) -> Value {
    let (number, isSet) = watchers.withLock { watchers in
      watchers.number += 1
      watchers.actions[watchers.number] = action
      return (watchers.number, watchers.isSet)
    }
    if isSet { action() }
    defer { watchers.withLock { watchers in watchers.actions[number] = nil } }
    return try body()
  }
}
