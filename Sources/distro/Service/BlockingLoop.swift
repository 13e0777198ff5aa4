import Foundation
import ServiceLifecycle

/// Runs what may block for long on a thread of its own: those of tasks are as few as the processors.
func runBlocking<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    let thread = Thread { continuation.resume(with: Result { try body() }) }
    thread.stackSize = 8 << 20
    thread.start()
  }
}

/// Runs a loop that blocks on a thread of its own, until the service is to stop; `stop` makes the loop end, which is
/// waited for.
func runBlockingLoop(
  _ loop: @escaping @Sendable () -> Void, stop: @Sendable () -> Void
) async throws {
  let (end, ending) = AsyncStream<Never>.makeStream()
  let thread = Thread {
    loop()
    ending.finish()
  }
  thread.stackSize = 8 << 20
  thread.start()
  try await gracefulShutdown()
  stop()
  for await _ in end {}
}
