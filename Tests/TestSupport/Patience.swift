import Glibc

/// No test waits longer for what has to come, and where it comes nobody waits so long: a machine that is ten times slower
/// must pass as well.
package let patience = Duration.seconds(120)

/// Whether it comes to that in time.
package func becomesTrue(_ condition: () throws -> Bool) rethrows -> Bool {
  let end = ContinuousClock.now + patience
  while try !condition() {
    guard .now < end else { return false }
    usleep(10_000)
  }
  return true
}
