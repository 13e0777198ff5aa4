import ArgumentParser
import Foundation
import Git
import LargeFiles
import Patching

/// What git runs in a checkout with large files; the applier puts it into `.git/config` where no such filter is configured.
struct LargeFileFilterCommand: ParsableCommand {
  enum Direction: String, ExpressibleByArgument, CaseIterable { case clean, smudge }

  static let name = "lfs-filter"
  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Git's filter for large files.", shouldDisplay: false)

  private static let pieceByteCount = 1 << 17

  @Argument(help: "`clean`: from a file to its pointer; `smudge`: back.")
  var direction: Direction

  func run() throws {
    // git runs it at the top of the working copy.
    let directory = ProcessInfo.processInfo.environment["GIT_DIR"] ?? "."
    let repository = try Repository(opening: directory)
    let filter = LargeFileFilter(try repository.largeFiles)
    let (input, output) = (FileHandle.standardInput, FileHandle.standardOutput)
    let read = { Array(try input.read(upToCount: Self.pieceByteCount) ?? Data()) }
    let write = { (piece: Span<UInt8>) in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(piece.count)
      for index in piece.indices { bytes.append(piece[index]) }
      try output.write(contentsOf: bytes)
    }
    switch direction {
    case .clean: try filter.clean(read, write: write)
    case .smudge: try filter.smudge(read, write: write)
    }
  }
}
