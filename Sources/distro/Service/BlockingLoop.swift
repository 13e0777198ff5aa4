import Foundation
import ServiceLifecycle

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
