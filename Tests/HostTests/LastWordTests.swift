import Dispatch
import Host
import TestSupport
import Testing

struct LastWordTests {
  @Test func whatCannotBeSaidIsNotWaitedFor() {
    let obstacle = DispatchSemaphore(value: 0)
    #expect(!LastWord.say(within: .milliseconds(50)) { obstacle.wait() })
    obstacle.signal()
  }

  @Test func whatCanBeSaidIsSaid() {
    let said = DispatchSemaphore(value: 0)
    #expect(LastWord.say(within: patience) { said.signal() })
    #expect(said.wait(timeout: .now()) == .success)
  }
}
