import Foundation
import GitModel
import MessageFormat
import Signer
import TestSupport
import Testing

/// Machines that are somewhere else than the signer thinks, and what brings them back without anyone's help.
struct HealingTests {
  private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  @Test(arguments: [SignerRepository.History.tip, .full])
  func `lost message is made up for in one step`(history: SignerRepository.History) throws {
    let fleet = try TestFleet.started(history: history)
    for number in 2...4 {
      try fleet.source.commit(["a": "\(number)\n"])
      try fleet.send()
      try fleet.lose(for: fleet.machines[0])
    }
    try fleet.source.commit(["a": "5\n"])
    try fleet.push()
    #expect(try fleet.newest().state == .behind)
    #expect(try fleet.machine().standing == .behind)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
    #expect(try fleet.machine().standing == .applied)
    #expect(try fleet.outbox.unanswered().isEmpty)
    // All that was lost is settled, and nothing is done twice.
    #expect(try fleet.heal() == 0)
  }

  /// Nothing follows the lost message: only a heartbeat shows that it is missing.
  @Test func `last message that was lost is found by the heartbeat`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    try fleet.lose(for: fleet.machines[0])
    #expect(try fleet.newest().state == .stored)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
    #expect(try fleet.outbox.unanswered().isEmpty)
  }

  @Test func `checkout that was reset is brought forward`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.machines[0].checkout.git("reset", "-q", "--hard", "HEAD~1")
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
    #expect(try fleet.newest().kind == "patch")
  }

  @Test func `checkout and state from a backup are brought forward`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    let backup = { fleet.folder.path("backup-" + $0) }
    let files = FileManager.default
    try files.copyItem(atPath: machine.checkout.path, toPath: backup("live"))
    try machine.replaceState { try files.copyItem(atPath: $0, toPath: backup("state")) }
    for number in 2...3 {
      try fleet.source.commit(["a": "\(number)\n"])
      try fleet.push()
    }
    try fleet.expectEqual()
    try remove(machine.checkout.path)
    try files.moveItem(atPath: backup("live"), toPath: machine.checkout.path)
    try machine.replaceState { path in
      try remove(path)
      try files.moveItem(atPath: backup("state"), toPath: path)
    }
    try fleet.source.commit(["a": "4\n"])
    try fleet.push()
    try fleet.heal()
    try fleet.expectEqual()
  }

  @Test func `empty path gets a snapshot`() throws {
    let fleet = try TestFleet.started()
    let machine = fleet.machines[0]
    try remove(machine.checkout.path)
    try machine.replaceState { try remove($0) }
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    #expect(try fleet.machine().standing == .behind)
    #expect(try fleet.machine().revision == nil)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  @Test func `three machines at different revisions converge after one push`() throws {
    let fleet = try TestFleet.started(["web1", "web2", "web3"])
    try fleet.source.commit(["a": "2\n"])
    fleet.machines[1].isCutOff = true
    fleet.machines[2].isCutOff = true
    try fleet.push()
    for machine in fleet.machines[1...2] { try fleet.lose(for: machine) }
    try fleet.source.commit(["a": "3\n"])
    fleet.machines[1].isCutOff = false
    try fleet.push()
    try fleet.lose(for: fleet.machines[2])
    #expect(try fleet.machine(1).standing == .behind)
    fleet.machines[2].isCutOff = false
    try remove(fleet.machines[2].checkout.path)
    try fleet.source.commit(["a": "4\n"])
    // The first is at 3, the second says that it is at 1; of the third nothing better is known than that it got 3.
    let sent = try fleet.send()
    #expect(sent.count == 2)
    #expect(Set(sent.map { $0.recipients.count }) == [1, 2])
    #expect(sent.allSatisfy { $0.update.after == sent[0].update.after })
    try fleet.deliver()
    #expect(try fleet.machine(0).standing == .applied)
    #expect(try fleet.machine(1).standing == .applied)
    try fleet.heal()
    try fleet.expectEqual()
  }

  @Test func `machine that is there already gets nothing`() throws {
    let fleet = try TestFleet.started(["web1", "web2"])
    try fleet.source.commit(["a": "2\n"])
    fleet.machines[1].isCutOff = true
    try fleet.push()
    try fleet.lose(for: fleet.machines[1])
    fleet.machines[1].isCutOff = false
    // A lost message counts as on its way until it is known to be lost.
    #expect(try fleet.send().isEmpty)
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    #expect(fleet.sent.flatMap(\.recipients) == [fleet.machines[1].mailbox])
    try fleet.expectEqual()
  }

  // MARK: - Bounds

  /// It is set back each time: as if a program there did it.
  @Test func `endless asking ends and a push begins anew`() throws {
    let fleet = try TestFleet.started()
    let first = try fleet.source.id()
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    let machine = fleet.machines[0]
    var made = 0
    var times: [Timestamp] = []
    // An answer that something was applied would begin anew: the machine loses what it gets, and asks for it.
    for round in 0..<40 {
      try machine.checkout.git("reset", "-q", "--hard", first.hex)
      let step = try fleet.step()
      for sent in step.sent { times.append(try fleet.outbox.answers(to: sent.id)[0].createdAt) }
      made += step.sent.count
      if !step.sent.isEmpty { try fleet.lose(for: machine) }
      try fleet.deliver()
      fleet.clock.advance(seconds: round < 10 ? 30 : 900)
    }
    #expect(made == Healing.attemptCountMax)
    #expect(Healing.state(of: try fleet.machine()) == .givenUp)
    let gaps = zip(times, times.dropFirst()).map { $1.milliseconds - $0.milliseconds }
    #expect(gaps.first ?? 0 >= 10_000 && gaps.last ?? 0 >= 3_600_000)
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    try fleet.heal()
    try fleet.expectEqual()
  }

  /// Each attempt was refused, until people changed what made it so: no push is needed.
  @Test(arguments: [true, false])
  func `machine that was given up is healed once it is elsewhere`(isRemoved: Bool) throws {
    let fleet = try TestFleet.started()
    let first = try fleet.source.id()
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    let second = try fleet.source.id()
    try fleet.source.commit(["a": "3\n"])
    try fleet.push()
    let machine = fleet.machines[0]
    for _ in 0..<40 where try Healing.state(of: fleet.machine()) != .givenUp {
      try machine.checkout.git("reset", "-q", "--hard", first.hex)
      if try !fleet.step().sent.isEmpty { try fleet.lose(for: machine) }
      try fleet.deliver()
      fleet.clock.advance(seconds: 900)
    }
    #expect(Healing.state(of: try fleet.machine()) == .givenUp)
    // The same word again changes nothing.
    fleet.clock.advance(seconds: 7_200)
    #expect(try fleet.heal() == 0)
    if isRemoved {
      try remove(machine.checkout.path)
    } else {
      try machine.checkout.git("reset", "-q", "--hard", second.hex)
    }
    fleet.clock.advance(seconds: 61)
    #expect(try fleet.heal() == 1)
    try fleet.expectEqual()
  }

  /// It takes what it is sent, says so, and is back where it was.
  @Test func `machine that is healed again and again waits longer and longer`() throws {
    let fleet = try TestFleet.started()
    let first = try fleet.source.id()
    try fleet.source.commit(["a": "2\n"])
    try fleet.push()
    let machine = fleet.machines[0]
    var made = 0
    for _ in 0..<40 {
      try machine.checkout.git("reset", "-q", "--hard", first.hex)
      made += try fleet.step().sent.count
      try fleet.deliver()
      fleet.clock.advance(seconds: 30)
    }
    // Twenty minutes: after 10 s, a minute, five, and half an hour that has not passed.
    #expect((3...5).contains(made))
    fleet.clock.advance(seconds: 7_200)
    try fleet.heal()
    fleet.clock.advance(seconds: 7_200)
    try fleet.step()
    try fleet.deliver()
    try fleet.expectEqual()
    #expect(try fleet.machine().healCount == 0)
  }

  @Test func `three machines at one revision are healed by one message`() throws {
    let fleet = try TestFleet.started(["web1", "web2", "web3"])
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    for machine in fleet.machines { try fleet.lose(for: machine) }
    fleet.clock.advance(seconds: 61)
    try fleet.step()
    try fleet.deliver()
    let pass = try fleet.step()
    #expect(pass.sent.map(\.recipients.count) == [3])
    try fleet.deliver()
    try fleet.expectEqual()
  }

  /// And for nobody else for ever.
  @Test func `message that nobody could accept any more leaves the outbox`() throws {
    let fleet = try TestFleet.started()
    try fleet.source.commit(["a": "2\n"])
    try fleet.send()
    #expect(try fleet.newest().state == .waiting)
    fleet.clock.advance(seconds: 92 * 86_400)
    try fleet.step()
    #expect(try fleet.newest().state == .superseded)
    try fleet.heal()
    try fleet.expectEqual()
  }
}
