/** Runs inside of a daemon that is measured: at SIGUSR2 all garbage is collected, and the bytes that stay are sent to the bench. */
process.on('SIGUSR2', () => {
  // The second round takes what finalizers of the first let go.
  for (let round = 0; round < 2; round++) gc!()
  const { heapUsed, external } = process.memoryUsage()
  process.send!(heapUsed + external)
})
