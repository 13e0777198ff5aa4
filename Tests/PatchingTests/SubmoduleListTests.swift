import Foundation
import GitModel
import Patching
import TestSupport
import Testing

/// What is read of `.gitmodules` is what `git config` reads, or it is refused.
struct SubmoduleListTests {
  private static let texts = [
    "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib\n",
    "# first\n[submodule \"a b\"] path=a b ; said\n url = \"https://example.org/#1\" # more\n",
    "[SubModule \"X.y\"]\r\n\tPATH = x\r\n\tUrl = ../y.git\r\n",
    "[submodule \"q\\\"q\"]\n\tpath = \"q  q\"\n\turl = ../\\\nq\n",
    "[core]\n\tbare\n[submodule \"t\"]\n\tpath = a b\n\tbranch = main\n\turl = ../t\n\tshallow = true\n",
    "[submodule \"u\"]\n\tpath = dir/u/\n\turl = ../u   \n[submodule]\n\tpath = none\n",
    "\u{feff}[submodule \"m\"]\n\turl = git@example.org:m.git\n\tpath = m",
    "[submodule.old]\n\tpath = old\n\turl = ../old\n", "", "\n\n;\n",
  ]

  @Test(arguments: texts)
  func `paths and URLs are those that git reads`(text: String) throws {
    let folder = try PipelineFolder()
    let file = try folder.write(".gitmodules", text)
    let git = PipelineProgram("/usr/bin/git", in: folder)
    let list = try SubmoduleList(Array(text.utf8))
    let names = try git.run(["config", "--file", file, "--null", "--name-only", "--list"])
    let keys = Set(names.text.split(separator: "\0").map(String.init))
      .filter { $0.hasPrefix("submodule.") && $0.hasSuffix(".url") }
    #expect(names.status == 0 && list.entries.count == keys.count, "\(names.errors)")
    for (path, entry) in list.entries {
      let name = String(decoding: entry.name.path.bytes, as: UTF8.self)
      let url = try git.run(["config", "--file", file, "submodule.\(name).url"])
      let place = try git.run(["config", "--file", file, "submodule.\(name).path"])
      #expect(url.text == entry.url)
      let bytes = place.text.hasSuffix("/") ? String(place.text.dropLast()) : place.text
      #expect(bytes == String(decoding: path.bytes, as: UTF8.self))
    }
  }

  @Test(arguments: [
    "[submodule \"a\"\n", "[submodule a]\n", "[submodule \"a\"]\n\tpath = \"x\n",
    "[submodule \"a\"]\n\tpath = \\x\n", "[submodule \"a\"]\n\tpa_th = x\n", "[]\n",
    "[submodule \"a\"]\n\tpath x\n",
  ])
  func `what git does not read is a syntax error here as well`(text: String) throws {
    let folder = try PipelineFolder()
    let file = try folder.write(".gitmodules", text)
    let git = PipelineProgram("/usr/bin/git", in: folder)
    #expect(try git.run(["config", "--file", file, "--list"]).status != 0)
    let flaw = #expect(throws: SubmoduleFlaw.self) { try SubmoduleList(Array(text.utf8)) }
    guard case .syntax? = flaw else {
      Issue.record("\(String(describing: flaw))")
      return
    }
  }

  @Test func `names, sizes and numbers have limits`() throws {
    func text(_ name: String) -> String {
      "[submodule \"\(name)\"]\n\tpath = \(name)\n\turl = ../x\n"
    }
    let many = (0...SubmoduleList.countMax).map { text("m\($0)") }.joined()
    #expect(throws: SubmoduleFlaw.tooMany(limit: 1_000)) { try SubmoduleList(Array(many.utf8)) }
    let large = [UInt8](repeating: 0x0a, count: SubmoduleList.byteCountMax + 1)
    #expect(throws: SubmoduleFlaw.self) { try SubmoduleList(large) }
    let long = String(repeating: "x", count: 254)
    #expect(try SubmoduleList(Array(text(long).utf8)).entries.count == 1)
    #expect(throws: SubmoduleFlaw.self) { try SubmoduleList(Array(text(long + "/y").utf8)) }
  }
}
