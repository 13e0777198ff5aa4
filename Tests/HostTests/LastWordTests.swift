import Dispatch
import Host
import TestSupport
import Testing

struct LastWordTests {
  @Test func `what cannot be said is not waited for`() {
    let obstacle = DispatchSemaphore(value: 0)
    #expect(!LastWord.say(within: .milliseconds(50)) { obstacle.wait() })
    obstacle.signal()
  }

  @Test func `what can be said is said`() {
    let said = DispatchSemaphore(value: 0)
    #expect(LastWord.say(within: patience) { said.signal() })
    #expect(said.wait(timeout: .now()) == .success)
  }
}
