import Foundation
import Host
import TestSupport
import Testing

struct BellTests {
  @Test func `a ring that nobody waited for is kept, and several are one`() {
    let bell = Bell()
    bell.ring()
    bell.ring()
    #expect(bell.wait(for: patience))
    #expect(!bell.wait(for: .zero))
  }

  @Test func `a wait without a ring ends in time`() {
    let start = ContinuousClock.now
    #expect(!Bell().wait(for: .milliseconds(20)))
    #expect(ContinuousClock.now - start >= .milliseconds(20))
  }

  @Test func `a ring ends a wait that would last for ever`() {
    let (bell, answer) = (Bell(), Bell())
    Thread {
      bell.wait(for: nil)
      answer.ring()
    }.start()
    bell.ring()
    #expect(answer.wait(for: patience))
  }
}
