/** Runs inside of a daemon that is measured: at SIGUSR2 all garbage is collected, and the bytes that stay are sent to the bench. */
process.on('SIGUSR2', () => {
  // The second round takes what finalizers of the first let go. This kind also moves what stays together: a page of the heap is in use by one object.
  for (let round = 0; round < 2; round++) gc!({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  const { heapUsed, external } = process.memoryUsage()
  process.send!(heapUsed + external)
})
