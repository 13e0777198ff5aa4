import Foundation
import GitModel
import TestSupport
import Testing

/// Programs of people and of the system, working in a checkout while it is brought to a new revision.
@Suite(.serialized) struct CheckoutRaceTests {
  private static func write(_ path: String, _ text: String) throws {
    let file = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  @Test func `a commit of a person's takes nothing of ours back, and is not lost`() throws {
    let race = try CheckoutRace()
    try race.run("commit") { checkout, round in
      try Self.write(checkout.path + "/own", "\(round)\n")
      guard try checkout.attempt("add", "own") else { return }
      _ = try checkout.attempt("commit", "-q", "-m", "own \(round)")
    } judge: { race in
      #expect(try race.content("own") == "\(race.round)\n")
      if try race.checkout.git("log", "-1", "--format=%s") == "own \(race.round)" {
        let names = try race.checkout.git("diff", "--name-only", "HEAD~1", "HEAD")
        #expect(names == "own", "round \(race.round): \(names)")
        #expect(try race.checkout.status() == "")
        try race.checkout.git("reset", "-q", "--hard", "HEAD~1")
      } else {
        #expect(try ["?? own", "A  own"].contains(race.checkout.status()))
        try race.checkout.git("rm", "-q", "-f", "--cached", "--ignore-unmatch", "own")
        try race.checkout.remove("own")
      }
    }
  }

  @Test(arguments: [false, true])
  func `who switches to another branch finds it as it is`(isNew: Bool) throws {
    let race = try CheckoutRace()
    try race.checkout.git("branch", "release")
    let release = try race.checkout.id("release")
    try race.run(isNew ? "checkout -b" : "checkout") { checkout, round in
      _ =
        isNew
        ? try checkout.attempt("checkout", "-q", "-b", "topic-\(round)")
        : try checkout.attempt("checkout", "-q", "release")
    } judge: { race in
      let status = try race.checkout.status()
      // git reads HEAD, and moves it later, without a lock between: a step that comes in this moment has moved the
      // branch that is left. Then its change is staged on the new one, as a `git pull` would leave it, and whole.
      if isNew, status != "", try race.checkout.git("branch", "--show-current") != "main" {
        #expect(try race.checkout.git("diff", "main", "--name-only") == "")
        #expect(try race.checkout.git("diff", "--name-only") == "")
      } else {
        #expect(status == "", "round \(race.round): \(status)")
      }
      #expect(try race.checkout.id("release") == release)
      try race.checkout.git("checkout", "-q", "main")
    }
  }

  @Test func `what a person stashes comes back`() throws {
    let race = try CheckoutRace()
    try race.run("stash") { checkout, round in
      try Self.write(checkout.path + "/theirs", "edit \(round)\n")
      _ = try checkout.attempt("stash", "-q")
    } judge: { race in
      if try race.checkout.git("stash", "list") != "" {
        // git has it in both places when it meets our lock after it has made the stash.
        let isThere = try race.checkout.status() != ""
        try race.checkout.git("stash", isThere ? "drop" : "pop", "-q")
      }
      #expect(try race.content("theirs") == "edit \(race.round)\n")
      #expect(try race.checkout.git("diff", "HEAD", "--name-only") == "theirs")
      try race.checkout.git("checkout", "-q", "HEAD", "--", "theirs")
    }
  }

  @Test func `what a person stages stays staged`() throws {
    let race = try CheckoutRace()
    try race.run("add") { checkout, round in
      try Self.write(checkout.path + "/theirs", "edit \(round)\n")
      _ = try checkout.attempt("add", "theirs")
    } judge: { race in
      let status = try race.checkout.status()
      #expect(["M  theirs", " M theirs"].contains(status), "round \(race.round): \(status)")
      #expect(try race.content("theirs") == "edit \(race.round)\n")
      try race.checkout.git("checkout", "-q", "HEAD", "--", "theirs")
    }
  }

  @Test(arguments: [
    ["prune", "--expire=now"], ["gc", "-q", "--prune=now"], ["repack", "-q", "-a", "-d"],
  ])
  func `nothing that is needed is pruned`(command: [String]) throws {
    let race = try CheckoutRace()
    try race.run(command.joined(separator: " ")) { checkout, _ in
      for _ in 0..<3 { _ = try checkout.run(command) }
    } judge: { race in
      let complaints = try race.checkout.fsck()
      #expect(complaints == "", "round \(race.round): \(complaints)")
    }
  }

  @Test(arguments: [false, true])
  func `what an editor saves is there afterwards`(isRenamed: Bool) throws {
    let race = try CheckoutRace()
    try race.run(isRenamed ? "editor, rename" : "editor") { checkout, round in
      let text = Data("edit \(round)\n".utf8)
      let file = URL(fileURLWithPath: checkout.path + "/a")
      if isRenamed {
        try text.write(to: file, options: .atomic)
      } else {
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        usleep(500)
        try handle.write(contentsOf: text)
        try handle.close()
      }
    } judge: { race in
      let content = try race.content("a")
      #expect(content == "edit \(race.round)\n", "round \(race.round): \(content ?? "nothing")")
      let names = try race.checkout.git("diff", "HEAD", "--name-only")
      #expect(names == "a", "round \(race.round): \(names)")
      try race.checkout.git("checkout", "-q", "HEAD", "--", "a")
    }
  }

  @Test func `what a tool puts at a path that was missing is never replaced`() throws {
    let race = try CheckoutRace()
    try race.run("tool") { checkout, round in
      try Self.write(checkout.path + "/new/\(round)/file", "theirs \(round)\n")
      try Self.write(checkout.path + "/new/\(round)/more/file", "theirs \(round)\n")
    } judge: { race in
      let directory = "new/\(race.round)"
      for name in ["file", "more/file"] {
        #expect(try race.content("\(directory)/\(name)") == "theirs \(race.round)\n")
      }
      let names = try race.checkout.git("diff", "HEAD", "--name-only")
      #expect(["", "\(directory)/file"].contains(names), "round \(race.round): \(names)")
      try race.checkout.remove(directory)
      try race.checkout.git("checkout", "-q", "HEAD", "--", ".")
    }
  }
}
